"""What right files become, and errors that are about a file as a whole."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from iop.config import load
from iop.config.project import (
    Acme,
    App,
    AppProxy,
    Build,
    Environment,
    HealthCheck,
    Project,
    ProxyImage,
    Secret,
    Ssh,
)
from iop.errors import ConfigError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for path in ("Dockerfile", "api/Dockerfile", "docker/Dockerfile.api", "key", "keys/deploy"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("FROM scratch\n")
    return tmp_path


def project(text: str | bytes, secrets: str | None = None) -> Project:
    Path("iop.yml").write_bytes(text if isinstance(text, bytes) else text.encode())
    if secrets is not None:
        Path(".iop").mkdir()
        Path(".iop/secrets").touch(mode=0o600)
        Path(".iop/secrets").write_text(secrets)
    return load(Path("iop.yml"))


def app(lines: str) -> App:
    indented = "".join(f"    {line}\n" for line in lines.splitlines())
    (found,) = project(f"name: demo\napps:\n  web:\n    server: a.example\n{indented}").apps
    return found


def refusal(text: str | bytes, secrets: str | None = None) -> str:
    with pytest.raises(ConfigError) as refused:
        project(text, secrets)
    return str(refused.value)


def test_everything_that_is_not_written_has_its_default(folder: Path) -> None:
    found = project("name: demo\napps:\n  web:\n    server: a.example\n")
    assert found == Project(
        name="demo",
        directory=folder,
        ssh=Ssh(),
        proxy=ProxyImage(),
        acme=Acme(email=None, staging=False, directory=None),
        keep_releases=5,
        apps=(
            App(
                name="web",
                server="a.example",
                image="demo/web",
                build=Build(
                    context=folder, dockerfile=folder / "Dockerfile", args=(), target=None, platform=None
                ),
                replicas=1,
                proxy=AppProxy(
                    hosts=(),
                    app_port=None,
                    ssl=True,
                    ssl_redirect=True,
                    hsts=5184000,
                    forward_headers=False,
                    response_timeout=30.0,
                ),
                health_check=HealthCheck(path="/up", interval=1.0, timeout=5.0, retries=30, start_period=0.0),
                drain_timeout=30.0,
                stop_timeout=10.0,
                environment=Environment(),
                ports=(),
                volumes=(),
                command=(),
                user=None,
            ),
        ),
    )


def test_everything_written(folder: Path) -> None:
    found = project(
        """\
name: demo
ssh: {username: deploy, port: 2222, key_file: ~/key}
proxy: {image: "proxy:1", base_image: "localhost:5000/python:3.13"}
acme: {email: me@example.com, directory: "https://acme.example/dir"}
docker:
keep_releases: 2
services: []
apps:
  api:
    server: 192.0.2.1
    image: registry.example/team/api
    build:
      context: ./api
      dockerfile: docker/Dockerfile.api
      args: [COLOUR]
      target: final
      platform: linux/arm64
    replicas: 3
    strategy: blue-green
    proxy:
      hosts: [WWW.Example.COM., bücher.example]
      app_port: 8080
      ssl: true
      ssl_redirect: false
      hsts: 60
      forward_headers: true
      response_timeout: 1m
      max_body: 10MB
      balance: least-connections
      log_query: true
      log_headers: [User-Agent]
    health_check: {path: "/health?deep=1", interval: 500ms, timeout: 2s, retries: 5, start_period: 1.5s}
    drain_timeout: 1h
    stop_timeout: 0
    environment:
      plain: [COLOUR=red, EMPTY=, "URL=a=b"]
      secret: [TOKEN]
    ports: [3000, "4000/udp"]
    volumes: [data:/data, "./config:/config:ro,z", /srv/x:/x, ".:/all"]
    command: run --name "two words"
    user: 1000:1000
""",
        "TOKEN=hunter2\n",
    )
    assert found == Project(
        name="demo",
        directory=folder,
        ssh=Ssh("deploy", 2222, folder / "key"),
        proxy=ProxyImage("proxy:1", "localhost:5000/python:3.13"),
        acme=Acme("me@example.com", False, "https://acme.example/dir"),
        keep_releases=2,
        apps=(
            App(
                name="api",
                server="192.0.2.1",
                image="registry.example/team/api",
                build=Build(
                    folder / "api",
                    folder / "docker" / "Dockerfile.api",
                    ("COLOUR",),
                    "final",
                    "linux/arm64",
                ),
                replicas=3,
                proxy=AppProxy(
                    ("www.example.com", "xn--bcher-kva.example"),
                    8080,
                    True,
                    False,
                    60,
                    True,
                    60.0,
                    10_000_000,
                    "least-connections",
                    True,
                    ("User-Agent",),
                ),
                health_check=HealthCheck("/health?deep=1", 0.5, 2.0, 5, 1.5),
                drain_timeout=3600.0,
                stop_timeout=0.0,
                environment=Environment(
                    (("COLOUR", "red"), ("EMPTY", ""), ("URL", "a=b")), (("TOKEN", Secret("hunter2")),)
                ),
                ports=("3000", "4000/udp"),
                volumes=("data:/data", "./config:/config:ro,z", "/srv/x:/x", ".:/all"),
                command=("run", "--name", "two words"),
                user="1000:1000",
            ),
        ),
    )
    assert "hunter2" not in f"{found!r}{found}"


def test_apps_as_a_list(folder: Path) -> None:
    found = project("name: demo\napps:\n- name: web\n  server: a.example\n- {name: api, server: b.example}\n")
    assert [(each.name, each.server) for each in found.apps] == [("web", "a.example"), ("api", "b.example")]


def test_a_project_without_apps(folder: Path) -> None:
    assert project("name: demo\n").apps == ()
    assert project("name: demo\napps:\n").apps == ()


def test_anchors_and_merge_keys(folder: Path) -> None:
    text = "name: demo\napps:\n  web: &web {server: a.example, replicas: 2}\n  api: {<<: *web, replicas: 3}\n"
    assert [(each.server, each.replicas) for each in project(text).apps] == [
        ("a.example", 2),
        ("a.example", 3),
    ]


@pytest.mark.parametrize(
    ("lines", "proxy"),
    [
        ("proxy: {ssl: false}", AppProxy(ssl=False, ssl_redirect=False, hsts=None)),
        ("proxy: {ssl: false, hsts: false}", AppProxy(ssl=False, ssl_redirect=False, hsts=None)),
        ("proxy: {hsts: false}", AppProxy(hsts=None)),
        ("proxy: {hsts: 0}", AppProxy(hsts=0)),
        ("proxy:", AppProxy()),
    ],
)
def test_https_defaults(folder: Path, lines: str, proxy: AppProxy) -> None:
    assert app(lines).proxy == proxy


@pytest.mark.parametrize(
    ("written", "seconds"), [("500ms", 0.5), ("30s", 30), ("1m", 60), ("2h", 7200), ("5", 5), ("0.25", 0.25)]
)
def test_durations(folder: Path, written: str, seconds: float) -> None:
    assert app(f"drain_timeout: {written}").drain_timeout == seconds


@pytest.mark.parametrize(
    ("lines", "context", "dockerfile"),
    [
        ("", ".", "Dockerfile"),
        ("build:", ".", "Dockerfile"),
        ("build: {context: api}", "api", "api/Dockerfile"),
        ("build: {context: api, dockerfile: Dockerfile}", "api", "Dockerfile"),
        ("build: {dockerfile: docker/Dockerfile.api}", ".", "docker/Dockerfile.api"),
    ],
)
def test_build_paths(folder: Path, lines: str, context: str, dockerfile: str) -> None:
    build = app(lines).build
    assert (build.context, build.dockerfile) == (folder / context, folder / dockerfile)


def test_an_image_name_of_ones_own_for_the_build(folder: Path) -> None:
    assert app("image: shop\nbuild: {}").image == "shop"


@pytest.mark.parametrize("written", ["keys/deploy", "./keys/deploy", "~/keys/deploy"])
def test_key_file(folder: Path, written: str) -> None:
    key = project(f"name: demo\nssh: {{key_file: {written}}}\n").ssh.key_file
    assert key is not None
    assert key.resolve() == folder / "keys" / "deploy"


def test_a_host_may_be_on_two_servers(folder: Path) -> None:
    text = "name: demo\napps:\n"
    for name in ("us", "eu"):
        text += f"  {name}: {{server: {name}.example, proxy: {{hosts: [www.example.com]}}}}\n"
    assert len(project(text).apps) == 2


def test_port_pairs_and_words_need_no_quotes(folder: Path) -> None:
    text = "environment: {plain: [A=yes]}\nuser: 22:22\nimage: no\nbuild: {}"
    found = app(text)
    assert (found.user, found.image) == ("22:22", "no")


@pytest.mark.parametrize("start", [b"\xef\xbb\xbf", b""])
def test_windows_editors(folder: Path, start: bytes) -> None:
    assert project(start + b"name: demo\r\nkeep_releases: 3\r\n").keep_releases == 3


def test_the_directory_is_that_of_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project("name: demo\napps: {web: {server: a.example}}\n")
    monkeypatch.chdir(folder / "keys")
    found = load(Path("../iop.yml"))
    assert found.directory == folder
    assert found.apps[0].build.dockerfile == folder / "Dockerfile"


def test_values_are_frozen(folder: Path) -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        project("name: demo\n").name = "other"  # type: ignore[misc]


def test_a_missing_file(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no iop\.yml here\n.*iop init"):
        load(Path("iop.yml"))


def test_a_folder_for_a_file(folder: Path) -> None:
    with pytest.raises(ConfigError, match="keys can't be read: Is a directory"):
        load(Path("keys"))


def test_errors_name_the_file_as_it_is_reached(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refusal("name: X\n")
    monkeypatch.chdir(folder.parent)
    with pytest.raises(ConfigError) as refused:
        load(folder / "iop.yml")
    assert str(refused.value).startswith(f"{folder.name}/iop.yml:1 name: ")


def test_text_that_is_not_utf8(folder: Path) -> None:
    assert refusal(b"name: demo\n# caf\xe9\n") == "iop.yml:2: isn't UTF-8 text; save the file as UTF-8"


def test_a_control_character(folder: Path) -> None:
    assert refusal("name: demo\n# \x07\n") == "iop.yml:2: holds the control character U+0007; remove it"


def test_deep_nesting(folder: Path) -> None:
    assert refusal("[" * 5000) == "iop.yml:1: is nested too deeply; remove brackets"


def test_an_alias_of_itself(folder: Path) -> None:
    assert refusal("name: demo\napps: &a\n  web: *a\n").splitlines()[1:] == [
        "iop.yml:3 apps.web.server: is missing: give a host name, an address or an alias from your ssh config"
    ]
