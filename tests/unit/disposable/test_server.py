"""What ssh is told about the servers."""

from __future__ import annotations

from pathlib import Path

from paramiko import SSHConfig

from iop.disposable.server import DisposableServer, write_ssh_config


def test_each_server_is_a_host_with_its_own_known_hosts(tmp_path):
    one, two = (
        DisposableServer(name, address, "bookworm", tmp_path / name, "ssh-ed25519 AAAA")
        for name, address in (("one", "192.0.2.1"), ("two", "192.0.2.2"))
    )
    write_ssh_config([one, two], one.ssh_config)
    assert one.ssh_config == two.ssh_config == tmp_path / "ssh_config"
    config = SSHConfig.from_path(str(one.ssh_config))
    for server in (one, two):
        for name in (server.name, server.address):
            assert config.lookup(name) == {
                "hostname": server.address,
                "port": "22",
                "user": "root",
                "identityfile": [str(server.key_file)],
                "identitiesonly": "yes",
                "userknownhostsfile": str(server.known_hosts),
            }
    assert one.known_hosts != two.known_hosts
    assert one.key_file == two.key_file == Path(tmp_path / "login")
