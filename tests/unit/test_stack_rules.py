"""The stack's small rules: ports, the folder's lock, parts as JSON, names, and which steps come along."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.eventually import eventually
from tradetrail.errors import TradetrailError, UsageError
from tradetrail.stack.assembly import ALL_PARTS, Wanted, application_parts, check_names, stack_env
from tradetrail.stack.home import Home, HomeLocked, read_json, tail, write_json
from tradetrail.stack.parts import Check, Part
from tradetrail.stack.ports import Ports, is_free
from tradetrail.stack.postgres import remove_stale_pid_file


def test_a_port_is_remembered_while_free(tmp_path: Path) -> None:
    first = Ports(tmp_path / "ports.json")
    port = first.claim("kafka")
    assert is_free(port)
    first.close()
    assert Ports(tmp_path / "ports.json").claim("kafka") == port


def test_a_port_that_another_program_took_is_replaced(tmp_path: Path) -> None:
    first = Ports(tmp_path / "ports.json")
    port = first.claim("kafka")
    first.close()
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        assert not is_free(port)
        assert Ports(tmp_path / "ports.json").claim("kafka") != port


def test_a_port_that_another_stack_chose_is_not_chosen_though_nobody_listens_yet(
    tmp_path: Path,
) -> None:
    """Both remember one port: of two stacks that start at once, one gets it."""
    write_json(tmp_path / "one.json", {"kafka": 21_234})
    write_json(tmp_path / "other.json", {"kafka": 21_234})
    one, other = Ports(tmp_path / "one.json"), Ports(tmp_path / "other.json")
    port = one.claim("kafka")
    assert other.claim("kafka") != port
    assert one.claim("kafka") == port


def test_a_port_taken_after_it_was_given_is_lost(tmp_path: Path) -> None:
    ports = Ports(tmp_path / "ports.json")
    port = ports.claim("kafka")
    assert not ports.lost(("kafka",))
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        assert ports.lost(("kafka", "unknown"))
        assert ports.claim("kafka") != port


def test_names_get_different_ports(tmp_path: Path) -> None:
    ports = Ports(tmp_path / "ports.json")
    assert len({ports.claim(str(number)) for number in range(50)}) == 50


def test_a_folder_has_one_holder_and_a_crash_frees_it(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.create()
    assert not home.is_locked()
    code = (
        "import sys, time; from pathlib import Path; from tradetrail.stack.home import Home; "
        "Home(Path(sys.argv[1])).lock(); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(home.root)]) as holder:
        eventually(home.is_locked)
        assert eventually(home.holder) == holder.pid
        with pytest.raises(HomeLocked, match=rf"pid {holder.pid}.*tradetrail down"):
            home.lock()
        holder.send_signal(signal.SIGKILL)
    assert not home.is_locked()
    os.close(home.lock())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="can't be written"):
        Home(tmp_path / "home").create()


def test_a_file_in_place_of_the_folder_says_so(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    with pytest.raises(UsageError, match="can't be written"):
        Home(tmp_path / "home").create()


def test_secrets_are_the_owners_alone(tmp_path: Path) -> None:
    home = Home(tmp_path)
    password = home.password()
    assert home.password() == password
    assert (tmp_path / "credentials.json").stat().st_mode & 0o077 == 0


def test_broken_json_names_its_file(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("{")
    with pytest.raises(TradetrailError, match=r"state\.json is not valid JSON"):
        read_json(tmp_path / "state.json")


def test_tail_begins_at_the_offset(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("old\nnew 1\nnew 2\n")
    assert tail(log, 5, offset_bytes=4) == ["new 1", "new 2"]
    assert tail(log, 1) == ["new 2"]
    assert tail(tmp_path / "absent", 5) == []


def test_a_long_log_is_moved_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tradetrail.stack.home.LOG_SIZE_MAX_BYTES", 10)
    home = Home(tmp_path)
    home.create()
    home.log("kafka").write_text("x" * 11)
    os.close(home.open_log("kafka"))
    assert home.log("kafka").stat().st_size == 0
    assert (home.logs / "kafka.log.1").stat().st_size == 11


def test_a_part_survives_json(tmp_path: Path) -> None:
    part = Part(
        name="x", argv=("a", "b"), env={"K": "v"}, check=Check("http", "u"), depends_on=("y",)
    )
    write_json(tmp_path / "part.json", part.to_json())
    assert Part.from_json(read_json(tmp_path / "part.json")) == part


def test_names_come_in_starting_order_and_unknown_ones_are_refused() -> None:
    assert check_names(("auditor", "kafka", "kafka")) == ("kafka", "auditor")
    with pytest.raises(UsageError, match="unknown part frob; the parts are kafka,"):
        check_names(("kafka", "frob"))


def test_services_bring_their_steps_and_find_the_simulators(tmp_path: Path) -> None:
    ports = Ports(tmp_path / "ports.json")
    wanted = Wanted(ALL_PARTS, ("--seed", "1"), {"EXTRA": "1"})
    parts = {part.name: part for part in application_parts(wanted, (), ports)}
    assert {"migrate", "provision"} <= parts.keys()
    assert parts["simulators.alpaca"].argv[-2:] == ("--seed", "1")
    assert {"migrate", "provision", "kafka"} <= set(parts["auditor"].depends_on)
    assert parts["decider"].env["EXTRA"] == "1"
    env = stack_env(parts, ports)
    assert env["TRADETRAIL_ALPACA_URL"] == parts["simulators.alpaca"].address
    assert env["TRADETRAIL_CLOCK_URL"] == f"{parts['simulators.alpaca'].address}/control/clock"
    assert env["TRADETRAIL_QUIVER_URL"] == parts["simulators.quiverquant"].address


def test_a_vendor_whose_address_is_given_is_not_simulated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRADETRAIL_ALPACA_URL", "https://broker.example")
    parts = application_parts(Wanted(ALL_PARTS), (), Ports(tmp_path / "ports.json"))
    assert "simulators.alpaca" not in {part.name for part in parts}


@pytest.mark.parametrize(
    "content",
    ["", "nonsense\n", "999999999\n/x\n", f"{os.getpid()}\n/x\n"],
    ids=["empty", "nonsense", "no such process", "a process that is no server"],
)
def test_a_pid_file_of_no_server_of_this_folder_is_removed(tmp_path: Path, content: str) -> None:
    (tmp_path / "postmaster.pid").write_text(content)
    remove_stale_pid_file(tmp_path)
    assert not (tmp_path / "postmaster.pid").exists()
