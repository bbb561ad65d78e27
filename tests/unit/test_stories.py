"""Rules of stories: sentences are exact, what is wrong is told with its line, and what was expected with what came."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import quicker
from click.testing import Result
from typer.testing import CliRunner

from cartwake_cli.main import app
from cartwake_cli.reference import STARTER
from cartwake_cli.stories.forms import FORMS, GROUPS, Form
from cartwake_cli.stories.reading import read_stories
from cartwake_cli.stories.sentences import After, At, Consent, Gets, Track

quicker.install()

PAGE = Path(__file__).parents[2] / "docs" / "stories.md"
CART = """
Ada is subscribed to email.
at 10:00 Ada views "Trail Runner".
Ada adds "Trail Runner" for 129.
"""


def tell(tmp_path: Path, text: str, *options: str) -> Result:
    """Run a story against the starter files."""
    file = tmp_path / "a.story"
    file.write_text(text)
    return CliRunner().invoke(app, ["story", str(file), "--rules", str(STARTER), *options])


@pytest.fixture(scope="module")
def starter() -> Result:
    """The stories of one starter journey, told as JSON."""
    return CliRunner().invoke(app, ["story", str(STARTER / "stories" / "abandoned-cart.story"), "--json"])


SCENES = {
    "buys half-way": r"\b(buys|orders)\b",
    "unsubscribes half-way": r"unsubscribes half-way",
    "is capped": r"moment ago|day of another|until the cap is over|No cap counts",
    "is there in quiet hours": r"quiet hours|In the night|in the night",
    "comes in twice": r"twice",
    "is merged half-way": r"(visitor|guest|herself).*half-way|half-way.*(visitor|guest|herself)",
}
"""What each starter journey tells, besides its normal way, by words that one of its titles has."""
STORIES = sorted((STARTER / "stories").glob("*.story"))
TOLD_ELSEWHERE = {"confirm-subscription": "visitor-to-subscriber", "name-day-list": "name-day"}
"""Journeys whose story is in that of another."""


@pytest.mark.parametrize("file", STORIES, ids=[path.stem for path in STORIES])
def test_the_stories_of_a_starter_journey(file: Path) -> None:
    """Each starter journey: bought and unsubscribed half-way, capped, at night, come in twice, merged half-way."""
    result = CliRunner().invoke(app, ["story", str(file), "--json"])
    told = json.loads(result.output)
    assert [each["title"] for each in told["stories"] if not each["good"]] == []
    assert told["faults"] == []
    assert result.exit_code == 0
    titles = [each["title"] for each in told["stories"]]
    for what, words in SCENES.items():
        assert any(re.search(words, title) for title in titles), what


def test_every_starter_journey_has_stories() -> None:
    """A journey tells its own in a file of its name, unless another journey's file tells them."""
    journeys = {path.stem for path in (STARTER / "journeys").glob("*.json")}
    assert {path.stem for path in STORIES} == journeys - set(TOLD_ELSEWHERE)


@pytest.mark.parametrize("form", FORMS, ids=[form.shape for form in FORMS])
def test_every_form_has_an_example_that_is_read_as_it(form: Form) -> None:
    """An example is a sentence of its own form, with a full stop or without, and of no form before it."""
    for said in (form.example, f"{form.example}."):
        read = read_stories("a.story", said)
        assert read.faults == ()
        assert read.stories[0].lines[-1].sentence == form.read(form.example)


def test_every_form_is_in_the_docs() -> None:
    """docs/stories.md has each form with its example and what it does."""
    page = PAGE.read_text()
    for title, forms in GROUPS.items():
        assert f"### {title}" in page
        for form in forms:
            assert f"| `{form.shown}` | `{form.example}` | {form.says} |" in page


def test_the_stories_in_the_docs_come_true(tmp_path: Path) -> None:
    """What docs/stories.md shows as a story is one, and all that it expects happens."""
    blocks = [each.partition("```")[0] for each in PAGE.read_text().split("```story\n")[1:]]
    assert len(blocks) >= 2
    for block in blocks:
        result = tell(tmp_path, block)
        assert result.exit_code == 0, result.output


def test_sentences_are_read_to_their_last_word() -> None:
    """Times stand before a sentence or alone, comments and a full stop are left out, quotes keep what is in them."""
    text = 'at 9:30, Ada adds 2 "C# \\"No. 1\\"" for 12.50.  # her first\nafter 2 days\nAda subscribes to email and sms'
    (story,) = read_stories("a.story", text).stories
    moment, added, later, said = (line.sentence for line in story.lines)
    assert isinstance(moment, At)
    assert (moment.time.hour, moment.time.minute) == (9, 30)
    assert isinstance(added, Track)
    assert added.properties == {"product_id": "c-no-1", "name": 'C# "No. 1"', "price": 12.5, "quantity": 2}
    assert later == After(2 * 86_400_000)
    assert isinstance(said, Consent)
    assert said.channels == ("email", "sms")


def test_any_event_with_any_properties_can_be_told() -> None:
    """What has no sentence of its own is told by `does`, with JSON."""
    text = 'the visitor-2 does "Łódź: Quiz Ended" {"score": 7.5, "answers": ["a", {"b": null}]} in the browser.'
    (story,) = read_stories("a.story", text).stories
    assert story.lines[0].browser
    assert story.lines[0].sentence == Track(
        "visitor-2", "Łódź: Quiz Ended", {"score": 7.5, "answers": ["a", {"b": None}]}
    )


def test_a_part_before_the_first_title_is_told_in_each_story() -> None:
    """What stands before the first `Story:` begins every story of the file, and none is told twice."""
    read = read_stories("a.story", 'Ada is subscribed to email.\nStory: One\nAda orders.\nStory: Two\nAda views "X".')
    assert [(it.title, len(it.lines), it.last) for it in read.stories] == [("One", 2, 3), ("Two", 2, 5)]


@pytest.mark.parametrize(
    ("said", "message", "nearest"),
    [
        ('Ada add "X" for 3', "no form", "WHO adds"),
        ("expect Ada gets emails cart-1", "no form", "expect WHO gets CHANNEL NAME"),
        ("wait 3 hours", "no form", "after DURATION"),
        ("expect Ada gets no cart-2: exit", '"exit" is no reason', "exited"),
        ("at 25:00", '"25:00" is no time of day', "09:30"),
        ("today is 2026-02-30", '"2026-02-30" is no date', "2026-06-01"),
        ('Ada does "X" {"a": }', "is not JSON", ""),
        ("journey welcome is life", '"life" is no status', "live"),
        ("3 days ago expect Ada gets nothing", "no form", ""),
    ],
)
def test_a_sentence_that_is_none_is_told(said: str, message: str, nearest: str) -> None:
    """With its line, the nearest right form or word, and an example."""
    (fault,) = read_stories("cart.story", f"# first\n\n{said}.\n").faults
    assert fault.file == "cart.story"
    assert fault.path == "line 3"
    assert message in fault.message
    assert nearest in fault.suggestion
    assert fault.example


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("expect Ada gets email cart-9.", 'There is no template "cart-9".\n  Did you mean: cart-'),
        ("expect Ada enters abandoned-card.", 'There is no journey "abandoned-card".\n  Did you mean: abandoned-cart'),
        ("expect Ada is in segment vips.", 'There is no segment "vips".\n  Did you mean: vip'),
        ("Ada opens cart-1.", "Until now Ada got no cart-1."),
        ("after 2 hours, Ada clicks cart-1.", "Nobody sees who clicks this cart-1"),
        ("after 2 hours, on 2026-05-01 at 10:00, Ada orders.", "That is over: it is Monday, 2026-06-01 12:00 here."),
        ('Ada does "X" {"n": 1e300}.', "The event is refused: properties.n: too large a number"),
    ],
)
def test_what_cannot_be_done_is_told(tmp_path: Path, said: str, message: str) -> None:
    """Exit code 1, with the line; no story goes on behind a sentence that did not happen."""
    result = tell(tmp_path, CART + said)
    assert result.exit_code == 1
    assert "a.story:5" in result.output
    assert message in result.output


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("expect Ada gets email cart-1 after 2 hours.", "on 2026-06-01 at 11:00, after 1 hour"),
        ("expect Ada gets email cart-1 at 11:01.", "at another time: on 2026-06-01 at 11:00"),
        ('expect Ada gets email cart-1, subject "You forgot".', 'with the subject "You left Trail Runner behind"'),
        ('expect Ada gets email cart-1, text "Wool Socks".', 'without "Wool Socks" in its text'),
        ("expect Ada gets sms cart-sms.", "Ada does not get it. Reason: completed."),
        ("expect Ada gets email welcome-1.", "Ada does not get it. No journey that sends it was entered."),
        ("expect Ada gets no cart-2.", "Ada gets email cart-2, on 2026-06-02 at 10:00, after 1 day."),
        ("expect Ada gets no cart-sms: exited.", "for another reason. Reason: completed."),
        ("expect Ada gets nothing.", "Besides, Ada gets email cart-1 and email cart-2."),
        ("expect Ada enters welcome.", "Ada does not enter it."),
        ("expect Ada does not enter abandoned-cart.", "Ada enters it on 2026-06-01 at 10:00."),
        ("expect Ada does not enter welcome: hearsay.", "for another reason: nothing has asked for it."),
        (
            "expect Ada leaves abandoned-cart: exited.",
            "Ada leaves it on 2026-06-02 at 10:00, after 1 day, reason: completed",
        ),
        ("expect Ada is in segment vip.", "At that moment Ada is not in vip."),
        ("expect Ada is not in segment window-shoppers.", ""),
        ("expect Eda gets nothing.", "Nobody in this story is called Eda; ada is."),
    ],
)
def test_what_does_not_come_true_is_told(tmp_path: Path, said: str, message: str) -> None:
    """Exit code 1, the expectation with its line, what came instead, and the timeline."""
    result = tell(tmp_path, CART + said)
    assert result.exit_code == (1 if message else 0), result.output
    if message:
        assert f"a.story:5 {said.removesuffix('.')}" in result.output
        assert message in result.output
        assert "11:00  Ada gets email cart-1" in result.output


def test_an_expectation_is_met_once(tmp_path: Path) -> None:
    """Two expectations of a message want two messages."""
    result = tell(tmp_path, CART + "expect Ada gets email cart-1.\nexpect Ada gets email cart-1.")
    assert result.exit_code == 1
    assert "a.story:6" in result.output


def test_a_story_that_expects_nothing_tells_what_happens(tmp_path: Path) -> None:
    """Without expectations the timeline is told, and nothing is wrong."""
    result = tell(tmp_path, CART)
    assert result.exit_code == 0
    assert "Tuesday, 2 June 2026\n    10:00  Ada gets email cart-2" in result.output
    assert "abandoned-cart ends for Ada: completed, all its steps are done" in result.output


def test_what_happened_is_written_as_expectations(tmp_path: Path) -> None:
    """`--write` adds below each story what then comes true, and leaves stories with expectations as they are."""
    said = f"Story: One{CART}after 2 hours, Ada orders.\n\nStory: Two{CART}expect Ada gets email cart-1.\n"
    assert tell(tmp_path, said, "--write").exit_code == 0
    written = (tmp_path / "a.story").read_text()
    one, _, two = written.partition("Story: Two")
    assert 'expect Ada gets email cart-1 after 1 hour, subject "You left Trail Runner behind".' in one
    assert "expect Ada leaves abandoned-cart after 2 hours: exited (Order Completed)." in one
    assert "expect Ada gets nothing else." in one
    assert two == said.partition("Story: Two")[2]
    assert tell(tmp_path, written).exit_code == 0


def test_json_for_programs(starter: Result) -> None:
    """One object: stories with all that happened, failures and faults with their lines; nothing else is printed."""
    told = json.loads(starter.output)
    first = told["stories"][0]
    sent = [it for it in first["happenings"] if it["what"] == "sent"]
    assert next((it["template"], it["at"]) for it in sent) == ("cart-1", "2026-06-01T11:00:01+02:00")
    assert set(first) == {"file", "line", "title", "good", "failures", "happenings"}


def test_a_draft_is_told_and_can_be_made_live(tmp_path: Path) -> None:
    """A draft starts nothing; a story makes it live, pauses it, and sees what that does."""
    rules = tmp_path / "rules"
    shutil.copytree(STARTER, rules)
    file = rules / "journeys" / "abandoned-cart.json"
    file.write_text(file.read_text().replace('"live"', '"draft"'))
    live, pause = "journey abandoned-cart is live.\n", "after 30 minutes, journey abandoned-cart is paused.\n"
    for text, code, words in (
        (f"{CART}expect Ada gets email cart-1.", 1, "abandoned-cart is not live; `journey abandoned-cart is live`"),
        (f"{live}{CART}expect Ada gets email cart-1 after 1 hour.", 0, ""),
        (f"{live}{CART}{pause}after 2 hours\n{live}expect Ada gets email cart-1 at 12:31.", 0, ""),
    ):
        (tmp_path / "a.story").write_text(text)
        result = CliRunner().invoke(app, ["story", str(tmp_path / "a.story"), "--rules", str(rules)])
        assert result.exit_code == code, result.output
        assert words in result.output


def test_nothing_to_play(tmp_path: Path) -> None:
    """Exit code 2: no stories, no rules, or rules with faults."""
    for paths, words in (
        ([str(tmp_path)], "has no stories in it"),
        ([str(tmp_path / "b.story")], "is not there"),
    ):
        result = CliRunner().invoke(app, ["story", *paths])
        assert result.exit_code == 2
        assert words in " ".join(result.stderr.split())
    (tmp_path / "b.story").write_text("Ada orders.")
    lost = CliRunner().invoke(app, ["story", str(tmp_path / "b.story")])
    assert lost.exit_code == 2
    assert "name the rules with --rules" in " ".join(lost.stderr.split())
    (tmp_path / "settings.json").write_text("{}")
    broken = CliRunner().invoke(app, ["story", str(tmp_path / "b.story")])
    assert broken.exit_code == 2
    assert "the rules have faults" in " ".join(broken.stderr.split())


def test_stories_are_no_rules() -> None:
    """They stand beside the rules and disturb neither `cartwake check` nor what is published."""
    result = CliRunner().invoke(app, ["check", str(STARTER)])
    assert result.exit_code == 0
    assert "stories/" not in result.output


def test_a_reader_agrees_to_be_seen_and_clicks(tmp_path: Path) -> None:
    """Links of the real mails are followed to the real pages: preferences, clicks, unsubscribing."""
    rules = tmp_path / "rules"
    shutil.copytree(STARTER, rules)
    mail = rules / "templates" / "welcome-1.mjml"
    mail.write_text(mail.read_text().replace("a person will read it.", '<a href="{{ preferences_url }}">Choose</a>.'))
    text = """
        Ada gives email "ada@example.com".
        Ada subscribes to email.
        after 1 hour, Ada agrees to tracking in welcome-1.
        after 20 hours, Ada adds "Trail Runner" for 129.
        after 2 hours, Ada clicks cart-1.
        expect Ada is not in segment clickers.
        after 1 hour
        expect Ada is in segment clickers.
    """
    agreed = "after 1 hour, Ada agrees to tracking in welcome-1."
    for told, code, words in (
        (text, 0, "1 story"),
        (text.replace(agreed, ""), 1, "Nobody sees who clicks this cart-1"),
    ):
        (tmp_path / "a.story").write_text(told)
        result = CliRunner().invoke(app, ["story", str(tmp_path / "a.story"), "--rules", str(rules)])
        assert result.exit_code == code, result.output
        assert words in result.output


def test_a_link_is_followed_by_what_its_address_has(tmp_path: Path) -> None:
    """Of several links the one that the story names is followed, and one that is not there is told."""
    text = """
        Ada is subscribed to email.
        Journey satisfaction-survey is live.
        Ada does "Order Delivered".
        after 5 days, Ada agrees to tracking in survey-1.
        after 86 days, Ada does "Order Delivered".
        after 4 days, Ada clicks "rating=2" in survey-1.
        expect Ada gets email survey-2.
    """
    for told, code, words in (
        (text, 0, "1 story"),
        (text.replace("=2", "=3"), 1, "Ada does not get it"),
        (text.replace("=2", "=9"), 1, 'No link of survey-1 has "rating=9" in its address.'),
    ):
        result = tell(tmp_path, told)
        assert result.exit_code == code, result.output
        assert words in result.output


def test_a_pool_has_the_codes_that_a_story_says(tmp_path: Path) -> None:
    """As many, in that story alone; a pool whose codes are made, and one that is not there, cannot be stocked."""
    text = """
        Story: One
        Pool cart-10 has 1 codes.
        Ada is subscribed to email.
        Ben is subscribed to email.
        Ada adds 3 "Trail Runner" for 129.
        after 1 minute, Ben adds 3 "Trail Runner" for 129.
        expect Ada gets email cart-3, text "CART-10-1".
        expect Ben gets no cart-3: no_coupon.
        Story: Two
        Ada is subscribed to email.
        Ada adds 3 "Trail Runner" for 129.
        expect Ada gets no cart-3: no_coupon.
    """
    for told, code, words in (
        (text, 0, "2 stories"),
        ("Pool tyres-15 has 1 codes.", 1, "The codes of tyres-15 are made, as many as are needed."),
        ("Pool cart-11 has 1 codes.", 1, 'There is no pool "cart-11".'),
    ):
        result = tell(tmp_path, told)
        assert result.exit_code == code, result.output
        assert words in result.output


def test_who_is_erased_is_gone(tmp_path: Path) -> None:
    """What is deleted is not under way any more: the story ends, and what comes later does not count."""
    text = f"""{CART}after 10 minutes, Ada does "Erasure Requested".
        after 10 minutes, Ada adds "Wool Socks" for 3.
        expect Ada enters abandoned-cart.
        expect Ada gets nothing."""
    result = tell(tmp_path, text, "--timeline")
    assert result.exit_code == 0, result.output
    assert "what Ada did does not count: erased" in result.output
    assert "poison" not in result.output


def test_time_alone_starts_what_it_starts(tmp_path: Path) -> None:
    """A segment that somebody enters because nothing happens starts its journey, to the hour, when time passes."""
    rules = tmp_path / "rules"
    shutil.copytree(STARTER, rules)
    journey = {"name": "Win back", "status": "live", "trigger": {"segment": "sleeping-visitors"}}
    (rules / "journeys" / "winback.json").write_text(json.dumps(journey | {"steps": [{"email": "welcome-2"}]}))
    (tmp_path / "a.story").write_text("""
        Ada is subscribed to email.
        Ada visits "/shoes".
        expect Ada is not in segment sleeping-visitors.
        after 40 days
        expect Ada is in segment sleeping-visitors.
        expect Ada gets email welcome-2 on 2026-07-01.
    """)
    result = CliRunner().invoke(app, ["story", str(tmp_path / "a.story"), "--rules", str(rules)])
    assert result.exit_code == 0, result.output


SHOP = {
    "shop": {"name": "Nordlicht", "url": "https://shop.example.com", "postal_address": "Street 1, Town"},
    "sender": {"email": "shop@example.com"},
    "caps": {"email": "1 minute"},
    "topics": {"thanks": {"name": "Thanks"}},
    "budgets": {"email": 4},
}
THANKS = {
    "name": "Thanks",
    "topic": "thanks",
    "status": "live",
    "trigger": {"event": "Order Completed"},
    "again": "always",
    "steps": [{"email": "thanks", "coupon": "hello"}],
}
MAIL = (
    "<mjml><mj-head><mj-title>Thanks</mj-title></mj-head><mj-body><mj-section><mj-column><mj-text>{{ coupon.code }} "
    '{{ shop.postal_address }} <a href="{{ unsubscribe_url }}">stop</a> <a href="{{ preferences_url }}">choose</a>'
    "</mj-text></mj-column></mj-section></mj-body></mjml>"
)


@pytest.mark.parametrize(
    "text",
    [
        """
        Ada orders for 5.
        after 1 hour, Ben orders for 5.
        expect Ada gets email thanks, text "ONE".
        expect Ben gets no thanks: no_coupon.
        """,
        """
        Ada orders for 5.
        after 1 hour, Ada refuses the topic thanks in thanks.
        after 1 hour, Ada orders for 5.
        expect Ada gets email thanks at 10:00, text "ONE".
        expect Ada gets nothing else.
        """,
        """
        Ada orders for 5.
        after 1 hour, Ada takes a pause of 30 days in thanks.
        after 29 days, Ada orders for 5.
        after 2 days, Ada orders for 5.
        expect Ada gets email thanks on 2026-06-01.
        expect Ada gets email thanks on 2026-07-02.
        expect Ada gets nothing else.
        """,
        """
        Ada orders for 5.
        after 1 hour, Ada orders for 5.
        after 1 hour, Ada orders for 5.
        after 1 hour, Ada orders for 5.
        after 1 hour, Ada orders for 5.
        expect Ada gets email thanks at 10:00.
        expect Ada gets email thanks at 11:00.
        expect Ada gets email thanks at 12:00.
        expect Ada gets email thanks at 13:00.
        expect Ada gets email thanks on 2026-06-02 between 00:00 and 00:10.
        """,
        """
        Ada is subscribed to sms.
        Ada answers "STOP".
        Ada orders for 5.
        expect Ada is in segment stopped.
        """,
    ],
    ids=["coupons", "topics", "pauses", "budgets", "answers"],
)
def test_what_keeps_messages_back_is_the_real_thing(text: str, tmp_path: Path) -> None:
    """Coupons of a file, topics, pauses, the day's budget and STOP count in a story as they do on AWS."""
    stopped = {"name": "Stopped", "where": {"did": "Unsubscribed", "where": {"channel": "sms"}}}
    for name, content in {
        "settings.json": json.dumps(SHOP), "journeys/thanks.json": json.dumps(THANKS), "templates/thanks.mjml": MAIL,
        "coupons/hello.csv": "code\nONE\n", "segments/stopped.json": json.dumps(stopped),
        "stories/a.story": f"Ada is subscribed to email.\nBen is subscribed to email.\n{text}",
    }.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    result = CliRunner().invoke(app, ["story", str(tmp_path)])
    assert result.exit_code == 0, result.output


def test_a_push_message_is_expected_as_others_are(tmp_path: Path) -> None:
    """Who agreed to it has a phone; its title is the subject, its link can be followed, and a no is a no."""
    step = {"push": "cart-push"}
    told = {"name": "Push", "status": "live", "trigger": {"event": "Product Added"}, "again": "always", "steps": [step]}
    shop = SHOP | {"tracking": "always", "caps": {"push": "none"}}
    for name, content in {
        "settings.json": json.dumps(shop), "journeys/push.json": json.dumps(told),
        "templates/cart-push.json": json.dumps({"title": "Still there?", "body": "{{ cart.items[0].name }} waits."}),
        "stories/a.story": """
            Ada is subscribed to email and push.
            at 10:00 Ada adds "Trail Runner" for 129.
            expect Ada gets push cart-push, subject "Still there", text "Trail Runner".
            after 1 minute, Ada clicks cart-push.
            after 1 minute, Ada unsubscribes from push.
            after 1 hour, Ada adds "Rain Jacket" for 149.
            Ben adds "Trail Runner" for 129.
            expect Ben gets no push: no_address.
            expect Ada gets nothing else.
            """,
    }.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    result = CliRunner().invoke(app, ["story", str(tmp_path)])
    assert result.exit_code == 0, result.output


def test_what_other_systems_are_told_is_in_the_timeline(tmp_path: Path) -> None:
    """A webhook is told of with its body and sent nowhere; whoever it is about gets nothing by it."""
    step = {"webhook": "https://crm.example.com/x", "traits": ["email"], "properties": ["price"]}
    told = {"name": "Tell", "status": "live", "trigger": {"event": "Product Added"}, "steps": [step]}
    rules = tmp_path / "rules"
    (rules / "journeys").mkdir(parents=True)
    (rules / "settings.json").write_text(json.dumps(SHOP | {"webhooks": {"hosts": ["crm.example.com"]}}))
    (rules / "journeys" / "tell.json").write_text(json.dumps(told))
    (tmp_path / "a.story").write_text('Ada adds "Trail Runner" for 129.\nexpect Ada gets nothing.\n')
    result = CliRunner().invoke(app, ["story", str(tmp_path / "a.story"), "--rules", str(rules), "--timeline"])
    assert result.exit_code == 0, result.output
    assert "crm.example.com is told of Ada:" in result.output
    assert '"price":129' in "".join(result.output.split())


def test_names_and_the_example() -> None:
    """A sentence with subject and text is read whole."""
    read = read_stories(
        "a.story", 'expect the visitor gets email cart-1 at 9:05 their time, subject "a, text b", text "c"'
    )
    (line,) = read.stories[0].lines
    assert isinstance(line.sentence, Gets)
    assert (line.sentence.who, line.sentence.subject, line.sentence.text) == ("visitor", "a, text b", "c")


def play_with(tmp_path: Path, changes: dict[str, dict[str, Any]], text: str) -> Result:
    """Play a story against the starter files and some more, or others."""
    rules = tmp_path / "rules"
    shutil.copytree(STARTER, rules, ignore=shutil.ignore_patterns("*.story"))
    for name, content in changes.items():
        file = rules / name
        file.write_text(json.dumps((json.loads(file.read_text()) if file.exists() else {}) | content))
    story = tmp_path / "a.story"
    story.write_text(text)
    return CliRunner().invoke(app, ["story", str(story), "--rules", str(rules)])


def test_a_campaign_whose_time_is_over_stops_no_story(tmp_path: Path) -> None:
    """The file of a sent campaign stays as it is: stories of journeys are played as before, on whichever day."""
    sent = {"campaigns/newsletter.json": {"status": "live", "at": "2025-12-03T09:00"}}
    result = play_with(tmp_path, sent, CART + "expect Ada gets email cart-1 after 1 hour.\n")
    assert result.exit_code == 0, result.output


OLD = {
    "name": "Old VIPs",
    "status": "live",
    "trigger": {"segment": "vip"},
    "include_existing": "from_the_start",
    "steps": [{"email": "cart-1"}],
}


@pytest.mark.parametrize("day", ["", "today is 2031-02-01", "today is 2020-02-01"])
def test_who_is_there_already_comes_in_on_whichever_day(tmp_path: Path, day: str) -> None:
    """A journey with include_existing goes live as its story begins, whatever day it is outside."""
    text = f"""{day}
Ada is subscribed to email.
40 days ago, Ada orders for 100.
30 days ago, Ada orders for 100.
20 days ago, Ada orders for 100.
Ada visits "/".
after 3 days, Ada visits "/".
expect Ada is in segment vip.
expect Ada enters old-vips.
"""
    result = play_with(tmp_path, {"journeys/old-vips.json": OLD}, text)
    assert result.exit_code == 0, result.output
