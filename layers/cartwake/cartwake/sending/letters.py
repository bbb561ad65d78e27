"""Letters: a message with everything that its claim and its one attempt need, rendered from what is live now."""

import msgspec

from cartwake import devices, optins
from cartwake.addresses import Address, derive_key, find_country, name_address, normalise
from cartwake.bundles import Bundle
from cartwake.coupons import Given, show
from cartwake.errors import TemplateFailed
from cartwake.events import Event, derive_id, own_event
from cartwake.feedback.deliveries import tags_for
from cartwake.gateways.email import Mail, format_sender
from cartwake.gateways.push import Push
from cartwake.gateways.sms import Sms
from cartwake.journeys import Send
from cartwake.marks import Marks, read_marks
from cartwake.messages import Message
from cartwake.paths import find_step
from cartwake.profiles import Profile, State
from cartwake.reasons import Skip
from cartwake.runs import Run
from cartwake.segments import View
from cartwake.sending.locales import translate
from cartwake.sending.parts import count_parts
from cartwake.sending.template_data import gather
from cartwake.sending.templates import Rendered, render
from cartwake.statements import Channel
from cartwake.times import Instant


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A message, what decides about it, and the code that it shows."""

    message: Message
    run: Run
    profile: Profile
    rules: Bundle
    now: Instant
    coupon: Given | None = None

    @property
    def view(self) -> View:
        """The shopper as conditions look at them."""
        return View(self.profile.state, self.rules, self.now, self.run.start)


class Links(msgspec.Struct, frozen=True, kw_only=True):
    """The shopper's own links, signed; "" where a message has none."""

    unsubscribe: str = ""
    preferences: str = ""
    confirm: str = ""


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A message that may go out.

    Attributes:
        to: The address itself.
        address: Its row, as it was when that was decided.
        mailbox: The row of the mailbox that is asked for a yes, where that is another one.
        links: The shopper's own; what is not marketing has none that unsubscribes.
        tracked: Its reader may be seen opening it and following its links.
    """

    case: Case
    to: str
    address: Address
    content: Rendered
    links: Links
    tracked: bool = False
    mailbox: Address | None = None

    @property
    def counted(self) -> Address:
        """The row on which it is noted that the message went out."""
        return self.mailbox or self.address

    @property
    def parts(self) -> int:
        """Of an SMS: how many messages the shop pays for; 0 for all else."""
        return count_parts(self.content.text).parts if self.case.message.channel is Channel.SMS else 0


class Unfit(msgspec.Struct, frozen=True):
    """Why no letter could be made."""

    why: Skip
    detail: str = ""


def find_address(channel: Channel, profile: Profile, secret: bytes) -> str | None:
    """Return the address to write to: the one whose key the claim will demand to be unchanged."""
    register = profile.state.contacts.get(channel)
    if register is None or channel not in profile.address_keys:
        return None
    country = profile.state.country
    to = normalise(channel, register.value, country=country.value if country else None)
    if channel is Channel.PUSH:
        return to  # its key is the shopper's; that it is still this device, the claim demands of the profile
    return to if to and derive_key(channel, to, secret) == profile.address_keys[channel] else None


def find_asked(request: Event, profile: Profile, secret: bytes) -> str | None:
    """Return the address that is asked for a yes: the one that the request names, else the shopper's."""
    if "email" in request.properties:
        return optins.read_address(request)
    return find_address(Channel.EMAIL, profile, secret)


def compose(case: Case, to: str, address: Address, links: Links) -> Letter | Unfit:
    """Render the live template; what cannot be rendered is not sent.

    Who is asked for a yes may be a stranger to whoever asked: of what that one has told, nothing is seen but the
    language.
    """
    step = find_live_step(case.message, case.rules)
    template = case.rules.templates.get(step.template)
    if template is None:
        return Unfit(Skip.TEMPLATE_GONE)
    template, language = translate(template, case.profile.state.traits, case.rules.settings.language)
    if step.subject:
        template = msgspec.structs.replace(template, subject=step.subject)
    stranger = case.message.kind == optins.CONFIRMATION
    data = gather(
        State() if stranger else case.profile.state,
        event=None if stranger else case.run.trigger,
        settings=case.rules.settings,
        marks=Marks() if stranger else read_marks(case.profile.state, case.rules, case.now),
        unsubscribe_url=links.unsubscribe,
        coupon=show(case.coupon, case.rules.settings.timezone) if case.coupon else None,
        language=language,
        more_urls={"preferences_url": links.preferences, "confirm_url": links.confirm},
    )
    try:
        content = render(template, data, name=step.template)
    except TemplateFailed as error:
        return Unfit(Skip.TEMPLATE, error.detail)
    if template.push is not (case.message.channel is Channel.PUSH):
        return Unfit(Skip.TEMPLATE_GONE)
    return Letter(case=case, to=to, address=address, content=content, links=links)


def find_live_step(message: Message, rules: Bundle) -> Send:
    """Return the step as it is live now, texts and all; as it was planned when the journey has changed around it."""
    planned = Send(channel=message.channel, template=message.template, subject=message.subject, coupon=message.coupon)
    live = find_step(rules.journeys[message.journey].steps, message.path)
    if isinstance(live, Send) and (live.channel, live.template) == (planned.channel, planned.template):
        return live
    return planned


def to_mail(letter: Letter, configuration_set: str) -> Mail:
    """Return the mail; marketing carries the one-click headers of RFC 8058."""
    sender, message = letter.case.rules.settings.sender, letter.case.message
    headers = {
        "List-Unsubscribe": f"<{letter.links.unsubscribe}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    return Mail(
        sender=format_sender(sender.name, sender.email),
        to=letter.to,
        subject=letter.content.subject,
        html=letter.content.html,
        text=letter.content.text,
        reply_to=sender.reply_to,
        headers=headers if letter.links.unsubscribe else {},
        tags=tags_for(message.who, message.id),
        configuration_set=configuration_set,
        tracked=letter.tracked,
    )


def to_sms(letter: Letter) -> Sms:
    """Return the text message, from the sender that is for its country."""
    sender = letter.case.rules.settings.sender
    name = sender.sms_by_country.get(find_country(letter.to), sender.sms_name) if sender.sms_by_country else None
    return Sms(
        to=letter.to,
        text=letter.content.text,
        sender_name=sender.sms_name if name is None else name,
        transactional=letter.case.message.kind == "transactional",
    )


def to_push(letter: Letter, application: str) -> Push:
    """Return the push message, for the platform application of its device."""
    message, blocked = letter.case.message, letter.case.profile.state.blocked.get(Channel.PUSH)
    platform, _, token = letter.to.partition(" ")
    return Push(
        application=application,
        platform=platform,
        token=token,
        title=letter.content.subject,
        body=letter.content.text,
        link=letter.content.link,
        image=letter.content.image,
        message=message.id,
        useful_ms=message.not_after - letter.case.now,
        again=blocked is not None and blocked.value == name_address(letter.to),
    )


def tell_gone(letter: Letter, code: str, at: Instant) -> Event:
    """Return the event that the device takes nothing any more; told twice it is the same.

    Args:
        letter: What was refused.
        code: What the provider said.
        at: When it was claimed: what is told of the device later counts again.
    """
    message, state = letter.case.message, letter.case.profile.state
    told = {
        "message": message.id,
        "journey": message.journey,
        "step": message.path,
        "template": message.template,
        "channel": message.channel.value,
        "bounce": "permanent",
        "detail": code,
        "device": devices.find_key(state.devices, letter.to),
        "address_id": name_address(letter.to),
    }
    return own_event(message.who, devices.BOUNCED, id=derive_id("gone", message.id, str(at)), at=at, properties=told)
