import pytest

from tests.unit.radius_cluster.process.eap.cluster import Cluster


@pytest.fixture
def cluster() -> Cluster:
    """Two processes that share nothing but the key."""
    return Cluster()
