"""`cartwake fit`: the literature's numbers from CDNOW, the file that it writes, and what it says of bad orders."""

import json
import subprocess
import sys
from functools import cache
from math import log
from pathlib import Path

import cdnow
import pytest
from builders import an_event, an_order
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from cartwake.conditions.histories import read_history
from cartwake.rules.base import check
from cartwake.rules.prediction_models import Predictions, compile_predictions
from cartwake.times import DAY, parse_instant
from cartwake_cli import orders
from cartwake_cli.cloud import Cloud
from cartwake_cli.faults import Fault
from cartwake_cli.fitting import Fitted, Sample, fit_all, gather
from cartwake_cli.main import app
from cartwake_cli.stack import Stack
from cartwake_cli.tables import Tables

SAMPLED_PURCHASES = 2_457
"""Repeat purchases of the sample in the first 39 weeks."""


@cache
def learn_sample() -> tuple[Sample, Fitted]:
    """Both models, fitted to the 39 weeks of the sample that the papers take."""
    trackers = (cdnow.read_trackers()[customer] for customer in cdnow.read_sample().values())
    histories = [read_history(tracker, cdnow.LEARNED_UNTIL) for tracker in trackers]
    sample = gather((each for each in histories if each is not None), cdnow.LEARNED_UNTIL)
    return sample, fit_all(sample)


def test_buying_is_fitted_as_published() -> None:
    """BG/NBD: r 0.243, alpha 4.414 weeks, a 0.793, b 2.426, log-likelihood -9582.4 (Fader, Hardie and Lee 2005)."""
    fit = learn_sample()[1].buying
    assert fit.parameters["r"] == pytest.approx(0.243, abs=5e-4)
    assert fit.parameters["alpha"] / 7 == pytest.approx(4.414, abs=5e-4)
    assert fit.parameters["a"] == pytest.approx(0.793, abs=5e-4)
    assert fit.parameters["b"] == pytest.approx(2.426, abs=5e-4)
    in_weeks = fit.likelihood + SAMPLED_PURCHASES * log(7)  # each purchase has a density, of a week instead of a day
    assert in_weeks == pytest.approx(-9_582.4292, abs=1e-3)
    assert fit.at_bound == ()


def test_buying_is_fitted_to_more_digits_as_by_others() -> None:
    """R's CLVTools prints r 0.2425945, alpha 4.4136019, a 0.7929199, b 2.4258881: the same to five digits."""
    found = learn_sample()[1].buying.parameters
    published = {"r": 0.2425945, "alpha": 4.4136019 * 7, "a": 0.7929199, "b": 2.4258881}
    assert found == pytest.approx(published, rel=1e-5)


def test_spending_is_fitted_as_published() -> None:
    """Gamma-Gamma of the 946 who bought again: p 6.25, q 3.74, v 15.44 (2013); log-likelihood -4055.9177 (CLVTools)."""
    sample, fitted = learn_sample()
    assert int(sample.repeaters.sum()) == 946
    assert fitted.spending.parameters == pytest.approx({"p": 6.25, "q": 3.74, "v": 15.44}, abs=5e-3)
    assert fitted.spending.likelihood == pytest.approx(-4_055.9177, abs=1e-3)


def test_purchases_are_as_published() -> None:
    """1,411 of the sample did not buy again in 39 weeks, 439 once, 214 twice … and 64 seven times and more."""
    repeats = learn_sample()[0].repeats
    counts = [int((repeats == number).sum()) for number in range(7)] + [int((repeats >= 7).sum())]
    assert counts == [1_411, 439, 214, 100, 62, 38, 29, 64]
    assert int(repeats.sum()) == SAMPLED_PURCHASES


def test_a_fit_is_the_same_each_time() -> None:
    """The starts are fixed, and so is the end."""
    sample, fitted = learn_sample()
    assert fit_all(sample) == fitted


# The command


def fit(*arguments: str) -> tuple[int, str]:
    told = CliRunner().invoke(app, ["fit", *arguments], env={"COLUMNS": "200"})
    return told.exit_code, told.output


def test_the_file_is_one_of_the_rules(tmp_path: Path) -> None:
    """CDNOW's own file goes in, predictions.json comes out: it is read without a fault, and the summary tells of it."""
    code, output = fit("--orders", str(cdnow.find_file()), "--until", "1997-09-30", "--out", str(tmp_path))
    assert code == 0, output
    read = check(Predictions, json.loads((tmp_path / "predictions.json").read_text()), "predictions.json")
    assert isinstance(read, Predictions)
    assert (read.fitted_at, read.customers) == ("1997-09-30", cdnow.CUSTOMERS)
    assert compile_predictions(read).alpha == pytest.approx(read.buying.alpha)
    assert "23,570 customers" in output
    assert str(tmp_path / "predictions.json") in output


@pytest.mark.parametrize(
    ("part", "key", "value", "path"),
    [
        ("spending", "q", 1.0, "spending.q"),
        ("buying", "r", -0.2, "buying.r"),
        ("buying", "alpha", "31", "buying.alpha"),
        ("buying", "alfa", 31.0, "buying.alfa"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(part: str, key: str, value: object, path: str) -> None:
    """What the formulas cannot be reckoned with does not go live: it is told with its place."""
    data = {
        "fitted_at": "2026-11-22",
        "customers": 2_357,
        "buying": {"r": 0.243, "alpha": 30.9, "a": 0.793, "b": 2.426},
        "spending": {"p": 6.25, "q": 3.74, "v": 15.44},
    }
    assert isinstance(check(Predictions, data, "predictions.json"), Predictions)
    faults = check(Predictions, data | {part: data[part] | {key: value}}, "predictions.json")  # type: ignore[operator]
    assert isinstance(faults, list)
    assert [fault.path for fault in faults] == [path]


def test_all_of_cdnow_is_read() -> None:
    """69,659 rows of 23,570 customers, $2,500,315.63."""
    trackers = orders.read_file(cdnow.find_file())
    assert len(trackers) == cdnow.CUSTOMERS
    assert sum(len(tracker.entries) for tracker in trackers.values()) == cdnow.ROWS
    assert sum(entry.micros for tracker in trackers.values() for entry in tracker.entries) == cdnow.MICROS


@pytest.mark.parametrize(
    "text",
    [
        "ada,2026-01-05,19.90\nada,2026-02-05T10:30:00Z,5\n",
        "customer,date,amount\nada,2026-01-05,19.90\n\nada,2026-02-05T10:30:00Z,5\n",
        "\ufeffEmail;order;Revenue;created_at\nada;7;19,90;20260105\nada;8;5;2026-02-05 10:30\n",
        'id\tdate\tvalue\n"ada"\t2026-01-05\t19.90\nada\t2026-02-05 10:30+00:00\t5.00\n',
        "ada 20260105 1 19.90\r\nada 2026-02-05T10:30 2 5\r\n",
    ],
    ids=["bare", "named", "semicolons", "tabs", "spaces"],
)
def test_a_file_may_look_like_this(tmp_path: Path, text: str) -> None:
    """Commas, semicolons, tabs or spaces; named columns in any order, or customer, date and, last, the amount."""
    path = tmp_path / "orders.csv"
    path.write_text(text, encoding="utf-8")
    trackers = orders.read_file(path)
    assert list(trackers) == ["ada"]
    assert [(entry.at, entry.micros) for entry in trackers["ada"].entries] == [
        (parse_instant("2026-01-05"), 19_900_000),
        (parse_instant("2026-02-05T10:30"), 5_000_000),
    ]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("ada,31.12.2026,5", 'line 3: "31.12.2026" is not a date; write 2026-12-31'),
        ("ada,04/05/2026,5", 'line 3: "04/05/2026" is not a date; write 2026-05-04 or 2026-04-05'),
        ("ada,yesterday,5", 'line 3: "yesterday" is not a date; write for example 2026-11-22'),
        ("ada,2026-01-05,12.50 EUR", 'line 3: "12.50 EUR" is not an amount; write 12.50'),
        ("ada,2026-01-05,free", 'line 3: "free" is not an amount; write for example 19.90'),
        ("ada,2026-01-05", "line 3: 2 columns, and there should be 3: customer, date and amount"),
        (",2026-01-05,5", "line 3: no customer is named"),
    ],
)
def test_a_bad_row_is_told_with_its_line(tmp_path: Path, row: str, told: str) -> None:
    """What is wrong with a row, where, and what was probably meant; and nothing is written."""
    path = tmp_path / "orders.csv"
    path.write_text(f"customer,date,amount\nbob,2026-01-01,1\n{row}\nbob,2026-01-02,1\n")
    code, output = fit("--orders", str(path), "--out", str(tmp_path))
    assert code == 1
    assert told in " ".join(output.split())
    assert not (tmp_path / "predictions.json").exists()


def test_of_many_bad_rows_ten_are_told(tmp_path: Path) -> None:
    """A file in the wrong format says so in a few lines."""
    path = tmp_path / "orders.csv"
    path.write_text("ada,2026-01-01,1\n" + "ada,1.1.2026,5\n" * 1_200)
    with pytest.raises(Fault, match="1,190 more lines") as told:
        orders.read_file(path)
    assert str(told.value).count("line ") == orders.MOST_TOLD


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("client,date,amount\nada,2026-01-01,5\n", 'no column is the customer: there are "client", "date" or "amount"'),
        ("customer,dat,amount\nada,2026-01-01,5\n", 'is it "dat"? Then call it "date"'),
        ("", "has no orders in it"),
        ("customer,date,amount\n", "has no orders in it"),
    ],
)
def test_a_bad_file_is_told(tmp_path: Path, text: str, told: str) -> None:
    """Columns that are not found, and a file without orders."""
    path = tmp_path / "orders.csv"
    path.write_text(text)
    with pytest.raises(Fault) as fault:
        orders.read_file(path)
    assert told in str(fault.value)


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    """A spreadsheet's own format is not CSV."""
    path = tmp_path / "orders.xlsx"
    path.write_bytes(b"PK\x03\x04\xff\xfe")
    with pytest.raises(Fault, match="UTF-8"):
        orders.read_file(path)


def test_too_few_who_bought_again_are_refused(tmp_path: Path) -> None:
    """A hundred must have bought on two days: 99 have, however many bought once."""
    rows = [f"once-{number},2026-01-05,5" for number in range(500)]
    rows += [f"twice-{number},2026-0{month}-05,{5 + number}" for number in range(99) for month in (1, 3)]
    path = tmp_path / "orders.csv"
    path.write_text("\n".join(rows))
    code, output = fit("--orders", str(path), "--out", str(tmp_path))
    assert code == 1
    assert "only 99 of 599 customers bought again on another day, and 100 must have" in " ".join(output.split())
    path.write_text("\n".join([*rows, "once-1,2026-04-01,7"]))
    histories = [read_history(tracker) for tracker in orders.read_file(path).values()]
    assert int(gather((it for it in histories if it is not None), parse_instant("2026-05-01")).repeaters.sum()) == 100


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "either --orders FILE or --stack NAME"),
        (("--orders", "orders.csv", "--stack", "shop"), "either --orders FILE or --stack NAME"),
        (("--orders", "none.csv"), "there is no file none.csv"),
        (("--orders", "orders.csv", "--out", "no/such/file.json"), "no/such is not a folder"),
        (("--orders", "orders.csv", "--until", "31.12.2026"), '--until: "31.12.2026" is not a date; write 2026-12-31'),
    ],
)
def test_a_bad_use_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], told: str
) -> None:
    """What is missing or wrong, and what to do."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "orders.csv").write_text("ada,2026-01-01,5\n")
    code, output = fit(*arguments)
    assert code == 1
    assert told in " ".join(output.split())


LINES = st.text(st.sampled_from('ab,;\t 0123456789.-"\n€:TZ'), max_size=60)


@settings(max_examples=300)
@given(LINES)
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Whatever stands in the file: orders come out, or a fault that says what is wrong."""
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_text(text, encoding="utf-8")
    told = ""
    try:
        trackers = orders.read_file(path)
    except Fault as fault:
        told = str(fault)
    else:
        assert all(tracker.entries for tracker in trackers.values())
    assert not told or str(path) in told or told.startswith("line 1: no column")


# From the events of a stack


def open_tables() -> Tables:
    names = {name: name for name in ("events", "profiles")}
    outputs = {"SecretArn": "cartwake-secret", "BucketName": "rules-bucket"}
    return Tables(Cloud(region="eu-central-1"), Stack("test", outputs, names, {}, {}))


def test_orders_of_a_stack_are_joined(tables: None) -> None:
    """Bots order nothing, and who ordered before they gave their name is one customer with who they are."""
    from cartwake.store.events import put_events

    visitor = {"who": "a#7", "anonymous_id": "7", "id": "first"}
    put_events([an_order(20, at=5 * DAY, **visitor), an_order(10, at=10 * DAY), an_event("Page Viewed", at=6 * DAY)])
    put_events([an_order(5, at=7 * DAY, bot=True, id="crawled"), an_order(30, at=9 * DAY, who="a#8", id="gone")])
    profiles = Cloud(region="eu-central-1").table("profiles")
    profiles.put_item(Item={"who": "a#7", "kind": "pointer", "target": "u#1", "version": 1})
    profiles.put_item(Item={"who": "a#8", "kind": "tombstone", "version": 1})
    trackers = orders.read_stack_orders(open_tables())
    assert {who: [entry.micros for entry in each.entries] for who, each in trackers.items()} == {
        "u#1": [20_000_000, 10_000_000]
    }


def test_a_stack_without_orders_is_told(tables: None) -> None:
    """There is nothing to learn from, and the message says where orders may come from."""
    with pytest.raises(Fault, match="--orders FILE"):
        orders.read_stack_orders(open_tables())


def test_other_commands_do_not_wait_for_scipy() -> None:
    """NumPy and SciPy are loaded when there is something to fit, and not by `cartwake --help`."""
    command = "import sys, cartwake_cli.commands.fit; sys.exit(bool({'numpy', 'scipy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", command], check=False).returncode == 0
