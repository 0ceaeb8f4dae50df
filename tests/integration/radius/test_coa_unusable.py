"""What cannot be sent to one router keeps nobody else's Disconnect waiting (RAD-5)."""

from radius_cluster.wire import codes
from tests.fixtures.coa_listener import acknowledge, states, wish
from tests.fixtures.radius import Processes, World, wait_for


def test_more_attributes_than_a_packet_takes_are_left_out_and_the_routers_disconnects_go_on(
    world: World, processes: Processes, listener
) -> None:
    """A dialect of one's own may have 64 lines of 253 octets in its [coa]: the first that fit are sent."""
    router = listener(acknowledge)
    tenant = world.tenant()
    lines = "\n".join(f'Reply-Message = "{number:02d}{"x" * 240}"' for number in range(40))
    text = f"[accept]\nFramed-Pool = {{pool}}\n[coa]\n{lines}\n"
    world.run("INSERT INTO registry.dialects (tenant_id, key, text) VALUES (%s, 'own-olt', %s)", tenant.id, text)
    nas_id, _ = world.nas(tenant, vendor="own-olt", last_source="127.0.0.1:5", coa_port=router.port)
    world.profile(tenant)
    account_id = world.subscriber(tenant, "alice")
    processes.start("radius_cluster.coa", "coa_ready")
    wish(world, tenant.id, nas_id, "s1", "alice", topic="radius.coa", account_id=account_id)
    wait_for(lambda: states(world, tenant.id)["s1"] == ("done", ""))
    packet = router.seen[0][1]
    assert 4096 - 244 < len(packet.raw) <= 4096
    told = [value[:2] for value in packet.all(codes.REPLY_MESSAGE)]
    assert told == [b"%02d" % number for number in range(len(told))]
    wish(world, tenant.id, nas_id, "s2", "alice")
    wait_for(lambda: states(world, tenant.id)["s2"] == ("done", ""))


def test_a_plan_that_cannot_be_read_keeps_nobody_elses_session_online(
    world: World, processes: Processes, listener
) -> None:
    router = listener(acknowledge)
    broken, other = world.tenant(), world.tenant()
    nas_of_broken, _ = world.nas(broken, last_source="127.0.0.1:5", coa_port=router.port)
    nas_of_other, _ = world.nas(other, last_source="127.0.0.1:5", coa_port=router.port)
    world.profile(broken, windows=[{"profile_id": -9}])
    account_id = world.subscriber(broken, "alice")
    wish(world, broken.id, nas_of_broken, "s1", "alice", topic="radius.coa", account_id=account_id)
    wish(world, broken.id, nas_of_broken, "s2", "alice")
    wish(world, other.id, nas_of_other, "s3", "bob")
    processes.start("radius_cluster.coa", "coa_ready")
    wait_for(lambda: states(world, other.id)["s3"] == ("done", ""))
    wait_for(lambda: states(world, broken.id) == {"s1": ("refused", "unusable_settings"), "s2": ("done", "")})
