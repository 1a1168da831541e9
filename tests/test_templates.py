from pathlib import Path

import pytest

from ops.config.render import placeholders, render
from ops.config.render.folders import ours
from ops.config.render.templates import environment, fill
from ops.errors import FleetError, Problem
from tests import sample


def write(folder: Path, name: str, text: str) -> None:
    path = folder / "templates" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def broken(folder: Path) -> Problem:
    """Render the sample fleet with the templates in *folder*; return what is wrong with them."""
    fleet = sample.fleet(folder=folder)
    with pytest.raises(FleetError) as caught:
        render(fleet, fleet.hosts[0], placeholders(fleet))
    (problem,) = caught.value.problems
    return problem


def test_there_is_a_template_for_every_kind() -> None:
    kinds = {path.name.removesuffix(".json.j2") for path in (ours() / "inbounds").iterdir()}
    assert kinds == {inbound.kind for inbound in sample.INBOUNDS}


def test_a_fleets_own_template_stands_in_for_ours(tmp_path: Path) -> None:
    write(tmp_path, "xray.json.j2", '{"mine": {{ host.name | tojson }}}')
    fleet = sample.fleet(folder=tmp_path)
    text = render(fleet, fleet.hosts[0], placeholders(fleet))
    assert text == '{\n  "mine": "ams"\n}\n'


def test_other_files_are_filled_too_and_keep_their_last_line_end(tmp_path: Path) -> None:
    write(tmp_path, "my.service.j2", "[Service]\nExecStart={{ core }}\n")
    text = fill(environment(tmp_path), "my.service.j2", {"core": "/xray"})
    assert text == "[Service]\nExecStart=/xray\n"


def test_an_undefined_name_is_told_by_file_and_line(tmp_path: Path) -> None:
    write(tmp_path, "inbounds/vless-ws-tls.json.j2", '{\n"port": {{ inbund.port }}\n}')
    problem = broken(tmp_path)
    assert (problem.file, problem.line) == ("templates/inbounds/vless-ws-tls.json.j2", 2)
    assert problem.message == "'inbund' is undefined"
    assert problem.remedy


def test_an_unknown_field_is_told_by_file_and_line(tmp_path: Path) -> None:
    write(tmp_path, "xray.json.j2", '{\n\n"x": {{ host.nmae | tojson }}}')
    problem = broken(tmp_path)
    assert (problem.file, problem.line) == ("templates/xray.json.j2", 3)
    assert "nmae" in problem.message


def test_a_syntax_error_is_told_by_file_and_line(tmp_path: Path) -> None:
    write(tmp_path, "xray.json.j2", '{\n{% if host %}\n"x": 1}')
    problem = broken(tmp_path)
    assert (problem.file, problem.line) == ("templates/xray.json.j2", 2)


def test_a_missing_template_is_asked_for(tmp_path: Path) -> None:
    write(tmp_path, "xray.json.j2", '\n{% include "more.j2" %}')
    problem = broken(tmp_path)
    assert (problem.file, problem.line) == ("templates/xray.json.j2", 2)
    assert problem.message == "there is no template more.j2"
    assert "templates/more.j2" in problem.remedy


def test_broken_json_is_laid_on_the_template_that_wrote_it_without_its_secrets(
    tmp_path: Path,
) -> None:
    write(tmp_path, "inbounds/trojan-raw-tls.json.j2", '{"a": 1, "b": {{ users[0].password }}}')
    problem = broken(tmp_path)
    assert problem.file == "templates/inbounds/trojan-raw-tls.json.j2"
    assert 'not JSON, after "b"' in problem.message
    password = placeholders(sample.fleet()).keys["alice"].password
    assert password not in str(problem)
    assert "tojson" in problem.remedy


def test_a_fault_inside_a_template_is_told_by_file_and_line(tmp_path: Path) -> None:
    write(tmp_path, "xray.json.j2", "\n\n{{ 1 // 0 }}")
    problem = broken(tmp_path)
    assert (problem.file, problem.line) == ("templates/xray.json.j2", 3)
    assert problem.message.startswith("ZeroDivisionError")


def test_a_template_that_includes_itself_is_told(tmp_path: Path) -> None:
    write(tmp_path, "xray.json.j2", "{% include 'xray.json.j2' %}")
    problem = broken(tmp_path)
    assert (problem.file, problem.line) == ("templates/xray.json.j2", 1)
    assert "recursion" in problem.message


def test_a_template_that_is_no_text_is_told(tmp_path: Path) -> None:
    write(tmp_path, "xray.json.j2", "")
    (tmp_path / "templates" / "xray.json.j2").write_bytes(b"\xff\xfe")
    assert str(broken(tmp_path)) == (
        "templates/xray.json.j2:1: is UTF-16 text; save the file as UTF-8"
    )


@pytest.mark.parametrize(
    "text",
    [
        '{% include "../secret" %}',
        '{% include "/etc/hostname" %}',
        "{{ ''.__class__.__mro__ }}",
        "{{ host.__init__.__globals__ }}",
        "{{ lipsum.__globals__ }}",
    ],
)
def test_templates_stay_in_their_folders(tmp_path: Path, text: str) -> None:
    (tmp_path / "secret").write_text("{}")
    write(tmp_path, "xray.json.j2", text)
    assert broken(tmp_path).file == "templates/xray.json.j2"


def test_a_changed_template_is_read_again(tmp_path: Path) -> None:
    write(tmp_path, "x.j2", "one")
    assert fill(environment(tmp_path), "x.j2", {}) == "one"
    write(tmp_path, "x.j2", "three")
    assert fill(environment(tmp_path), "x.j2", {}) == "three"
