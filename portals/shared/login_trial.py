"""Asks the cluster what a router would be answered (``python -m radius_cluster.trial``), for staff who test a login."""

import subprocess
import sys

import structlog

from infra.settings import Settings
from tenants.access.login_trial import LoginTrial, TrialAnswer, Try
from tenants.subscribers.errors import LoginNotTried

LOG = structlog.get_logger(__name__)
_LONGEST_SECONDS = 15.0


def ask_cluster(settings: Settings) -> Try:
    """For the installation of these settings. What it gives raises LoginNotTried."""

    def attempt(trial: LoginTrial) -> TrialAnswer:
        program = [sys.executable, "-m", "radius_cluster.trial"]
        try:
            done = subprocess.run(
                program,
                input=trial.to_json(),
                capture_output=True,
                text=True,
                check=False,
                timeout=_LONGEST_SECONDS,
                env=settings.environment(),
            )
        except subprocess.TimeoutExpired:
            raise LoginNotTried(reason="no answer in time") from None
        if done.returncode != 0:
            said = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
            LOG.warning("login_not_tried", tenant=trial.tenant_id, nas=trial.nas_id, reason=said)
            raise LoginNotTried(reason=said if done.returncode == 1 else "the settings are wrong")
        return TrialAnswer.from_json(done.stdout)

    return attempt
