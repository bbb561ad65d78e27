"""Texts of the pages that shoppers see, in every language that they speak."""

from typing import Final

UNNAMED: Final = {"en": "This shop", "de": "Dieser Shop", "pl": "Ten sklep"}
"""A shop whose rules cannot be read just now: its shoppers can unsubscribe all the same."""
LANGUAGES: Final = {"en": "English", "de": "Deutsch", "pl": "Polski"}
TEXTS: Final = {
    "en": {
        "ask_title": "Unsubscribe?",
        "ask_email": "{shop} will send you no more newsletters and offers by e-mail. "
        "Messages about your orders still reach you.",
        "ask_sms": "{shop} will send you no more offers by text message. Messages about your orders still reach you.",
        "ask_push": "{shop} will send no more offers to its app on your phone. "
        "Messages about your orders still reach you.",
        "ask_button": "Unsubscribe",
        "done_title": "You are unsubscribed",
        "done_email": "{shop} sends you no more newsletters and offers by e-mail from now on. You may close this page.",
        "done_sms": "{shop} sends you no more offers by text message from now on. You may close this page.",
        "done_push": "{shop} sends no more offers to its app on your phone from now on. You may close this page.",
        "bad_link_title": "This link does not work",
        "bad_link_text": "It may be incomplete. Please open it straight from the message, or copy all of it.",
        "failed_title": "That did not work",
        "failed_text": "Something went wrong on our side. Please try again in a minute.",
        "confirm_title": "One more step",
        "confirm_email": "Would you like newsletters and offers from {shop} by e-mail? You can leave at any time.",
        "confirm_sms": "Would you like offers from {shop} by text message? You can leave at any time.",
        "confirm_push": "Would you like offers from {shop} in its app on your phone? You can leave at any time.",
        "confirm_button": "Yes, subscribe me",
        "confirmed_title": "You are subscribed",
        "confirmed_email": "{shop} now sends you newsletters and offers by e-mail. You may close this page.",
        "confirmed_sms": "{shop} now sends you offers by text message. You may close this page.",
        "confirmed_push": "{shop} now sends you offers to its app on your phone. You may close this page.",
        "expired_title": "This link is too old",
        "expired_text": "If you still want to, please begin again in the shop or in a newer message.",
        "export_title": "A copy of your data?",
        "export_text": "{shop} then puts together everything that it knows about you, "
        "and sends it to the address that it has of you, within 30 days at the latest.",
        "export_button": "Send me a copy",
        "exported_title": "Your request has arrived",
        "exported_text": "{shop} sends you the copy within 30 days at the latest. You may close this page.",
        "erase_title": "Erase your data?",
        "erase_text": "{shop} then deletes everything that it knows about you for its messages, and sends you no more "
        "newsletters and offers. That cannot be undone. What the law makes it keep, such as invoices, "
        "stays in the shop.",
        "erase_button": "Erase my data",
        "erased_title": "Your request has arrived",
        "erased_text": "{shop} erases your data within 30 days at the latest. You may close this page.",
        "choices_title": "Your messages",
        "choices_intro": "What would you like to get from {shop}? Messages about your orders always reach you.",
        "saved": "Saved. It holds from now on.",
        "channels": "How",
        "by_email": "By e-mail to {address}",
        "by_sms": "By text message to {address}",
        "by_push": "In the app ({address})",
        "topics": "What about",
        "pause": "A pause",
        "pause_none": "No pause",
        "pause_until": "Pause until {date}",
        "pause_30": "Nothing for 30 days",
        "pause_90": "Nothing for 90 days",
        "rest": "How often",
        "rest_0": "As often as there is news",
        "rest_7": "At most once a week",
        "rest_30": "At most once a month",
        "tracked": "What we see",
        "tracked_words": "{shop} may see which of its e-mails I open and which links I follow, and recognise me "
        "when I come by one, to write what interests me",
        "language": "Language",
        "save": "Save",
        "leave": "Unsubscribe from everything",
        "data": "Your data",
        "to_export": "Get a copy of my data",
        "to_erase": "Erase my data",
        "home": "Back to the shop",
        "back": "Back to my settings",
    },
    "de": {
        "ask_title": "Abmelden?",
        "ask_email": "{shop} schickt Ihnen dann keine Newsletter und Angebote per E-Mail mehr. "
        "Nachrichten zu Ihren Bestellungen kommen weiterhin an.",
        "ask_sms": "{shop} schickt Ihnen dann keine Angebote per SMS mehr. "
        "Nachrichten zu Ihren Bestellungen kommen weiterhin an.",
        "ask_push": "{shop} schickt Ihnen dann keine Angebote mehr in die App auf Ihrem Telefon. "
        "Nachrichten zu Ihren Bestellungen bekommen Sie weiterhin.",
        "ask_button": "Abmelden",
        "done_title": "Sie sind abgemeldet",
        "done_email": "{shop} schickt Ihnen ab jetzt keine Newsletter und Angebote per E-Mail mehr. "
        "Sie können diese Seite schließen.",
        "done_sms": "{shop} schickt Ihnen ab jetzt keine Angebote per SMS mehr. Sie können diese Seite schließen.",
        "done_push": "{shop} schickt Ihnen ab jetzt keine Angebote mehr in die App. Sie können diese Seite schließen.",
        "bad_link_title": "Dieser Link funktioniert nicht",
        "bad_link_text": "Vielleicht ist er unvollständig. Bitte öffnen Sie ihn direkt aus der Nachricht "
        "oder kopieren Sie ihn ganz.",
        "failed_title": "Das hat nicht geklappt",
        "failed_text": "Bei uns ist etwas schiefgegangen. Bitte versuchen Sie es in einer Minute noch einmal.",
        "confirm_title": "Nur noch ein Schritt",
        "confirm_email": "Möchten Sie Newsletter und Angebote von {shop} per E-Mail bekommen? "
        "Sie können sich jederzeit abmelden.",
        "confirm_sms": "Möchten Sie Angebote von {shop} per SMS bekommen? Sie können sich jederzeit abmelden.",
        "confirm_push": "Möchten Sie Angebote von {shop} in der App auf Ihrem Telefon bekommen? "
        "Sie können sich jederzeit abmelden.",
        "confirm_button": "Ja, ich bin dabei",
        "confirmed_title": "Sie sind angemeldet",
        "confirmed_email": "{shop} schickt Ihnen ab jetzt Newsletter und Angebote per E-Mail. "
        "Sie können diese Seite schließen.",
        "confirmed_sms": "{shop} schickt Ihnen ab jetzt Angebote per SMS. Sie können diese Seite schließen.",
        "confirmed_push": "{shop} schickt Ihnen ab jetzt Angebote in die App. Sie können diese Seite schließen.",
        "expired_title": "Dieser Link ist zu alt",
        "expired_text": "Wenn Sie noch möchten, fangen Sie bitte im Shop oder in einer neueren Nachricht "
        "noch einmal an.",
        "export_title": "Eine Kopie Ihrer Daten?",
        "export_text": "{shop} stellt dann alles zusammen, was über Sie bekannt ist, und schickt es spätestens "
        "nach 30 Tagen an die Adresse, unter der Sie dort bekannt sind.",
        "export_button": "Kopie anfordern",
        "exported_title": "Ihre Anfrage ist angekommen",
        "exported_text": "{shop} schickt Ihnen die Kopie spätestens nach 30 Tagen. Sie können diese Seite schließen.",
        "erase_title": "Ihre Daten löschen?",
        "erase_text": "{shop} löscht dann alles, was für Nachrichten über Sie bekannt ist, und schickt Ihnen keine "
        "Newsletter und Angebote mehr. Das lässt sich nicht rückgängig machen. Was das Gesetz aufzuheben verlangt, "
        "etwa Rechnungen, bleibt im Shop.",
        "erase_button": "Meine Daten löschen",
        "erased_title": "Ihre Anfrage ist angekommen",
        "erased_text": "{shop} löscht Ihre Daten spätestens nach 30 Tagen. Sie können diese Seite schließen.",
        "choices_title": "Ihre Nachrichten",
        "choices_intro": "Was möchten Sie von {shop} bekommen? Nachrichten zu Ihren Bestellungen kommen immer an.",
        "saved": "Gespeichert. Es gilt ab jetzt.",
        "channels": "Auf welchem Weg",
        "by_email": "Per E-Mail an {address}",
        "by_sms": "Per SMS an {address}",
        "by_push": "In der App ({address})",
        "topics": "Worüber",
        "pause": "Eine Pause",
        "pause_none": "Keine Pause",
        "pause_until": "Pause bis {date}",
        "pause_30": "30 Tage lang nichts",
        "pause_90": "90 Tage lang nichts",
        "rest": "Wie oft",
        "rest_0": "So oft es Neues gibt",
        "rest_7": "Höchstens einmal in der Woche",
        "rest_30": "Höchstens einmal im Monat",
        "tracked": "Was wir sehen",
        "tracked_words": "{shop} darf sehen, welche E-Mails ich öffne und welchen Links ich folge, und mich "
        "wiedererkennen, wenn ich so in den Shop komme, um zu schreiben, was mich interessiert",
        "language": "Sprache",
        "save": "Speichern",
        "leave": "Von allem abmelden",
        "data": "Ihre Daten",
        "to_export": "Kopie meiner Daten anfordern",
        "to_erase": "Meine Daten löschen",
        "home": "Zurück zum Shop",
        "back": "Zurück zu meinen Einstellungen",
    },
    "pl": {
        "ask_title": "Zrezygnować z subskrypcji?",
        "ask_email": "{shop} nie będzie już wysyłać Ci newsletterów ani ofert e-mailem. "
        "Wiadomości o Twoich zamówieniach nadal będą przychodzić.",
        "ask_sms": "{shop} nie będzie już wysyłać Ci ofert SMS-em. "
        "Wiadomości o Twoich zamówieniach nadal będą przychodzić.",
        "ask_push": "{shop} nie będzie już wysyłać Ci ofert w aplikacji na telefonie. "
        "Wiadomości o zamówieniach nadal będą do Ciebie docierać.",
        "ask_button": "Zrezygnuj",
        "done_title": "Subskrypcja anulowana",
        "done_email": "{shop} nie wyśle Ci już newsletterów ani ofert e-mailem. Możesz zamknąć tę stronę.",
        "done_sms": "{shop} nie wyśle Ci już ofert SMS-em. Możesz zamknąć tę stronę.",
        "done_push": "{shop} nie wyśle Ci już ofert w aplikacji na telefonie. Możesz zamknąć tę stronę.",
        "bad_link_title": "Ten link nie działa",
        "bad_link_text": "Być może jest niepełny. Otwórz go prosto z wiadomości albo skopiuj go w całości.",
        "failed_title": "Nie udało się",
        "failed_text": "Coś poszło nie tak po naszej stronie. Spróbuj ponownie za minutę.",
        "confirm_title": "Jeszcze jeden krok",
        "confirm_email": "Czy chcesz dostawać e-mailem newslettery i oferty od {shop}? "
        "W każdej chwili możesz zrezygnować.",
        "confirm_sms": "Czy chcesz dostawać SMS-em oferty od {shop}? W każdej chwili możesz zrezygnować.",
        "confirm_push": "Czy chcesz dostawać oferty od {shop} w aplikacji na telefonie? "
        "W każdej chwili możesz zrezygnować.",
        "confirm_button": "Tak, zapisz mnie",
        "confirmed_title": "Subskrypcja potwierdzona",
        "confirmed_email": "Od teraz będziesz dostawać e-mailem newslettery i oferty od {shop}. "
        "Możesz zamknąć tę stronę.",
        "confirmed_sms": "Od teraz będziesz dostawać SMS-em oferty od {shop}. Możesz zamknąć tę stronę.",
        "confirmed_push": "Od teraz będziesz dostawać oferty od {shop} w aplikacji na telefonie. "
        "Możesz zamknąć tę stronę.",
        "expired_title": "Ten link stracił ważność",
        "expired_text": "Jeśli nadal chcesz, zacznij jeszcze raz w sklepie albo w nowszej wiadomości.",
        "export_title": "Kopia Twoich danych?",
        "export_text": "{shop} zbierze wszystko, co o Tobie wie, i wyśle to na znany sobie Twój adres, "
        "najpóźniej w ciągu 30 dni.",
        "export_button": "Poproś o kopię",
        "exported_title": "Twoja prośba dotarła",
        "exported_text": "{shop} wyśle Ci kopię najpóźniej w ciągu 30 dni. Możesz zamknąć tę stronę.",
        "erase_title": "Usunąć Twoje dane?",
        "erase_text": "{shop} usunie wszystko, co wie o Tobie na potrzeby wiadomości, i nie będzie już wysyłać Ci "
        "newsletterów ani ofert. Tego nie da się cofnąć. To, co trzeba przechowywać zgodnie z prawem, "
        "na przykład faktury, zostanie w sklepie.",
        "erase_button": "Usuń moje dane",
        "erased_title": "Twoja prośba dotarła",
        "erased_text": "{shop} usunie Twoje dane najpóźniej w ciągu 30 dni. Możesz zamknąć tę stronę.",
        "choices_title": "Twoje wiadomości",
        "choices_intro": "Co chcesz dostawać od {shop}? Wiadomości o Twoich zamówieniach zawsze będą przychodzić.",
        "saved": "Zapisano. Obowiązuje od teraz.",
        "channels": "Jak",
        "by_email": "E-mailem na adres {address}",
        "by_sms": "SMS-em na numer {address}",
        "by_push": "W aplikacji ({address})",
        "topics": "O czym",
        "pause": "Przerwa",
        "pause_none": "Bez przerwy",
        "pause_until": "Przerwa do {date}",
        "pause_30": "Nic przez 30 dni",
        "pause_90": "Nic przez 90 dni",
        "rest": "Jak często",
        "rest_0": "Gdy tylko jest coś nowego",
        "rest_7": "Najwyżej raz w tygodniu",
        "rest_30": "Najwyżej raz w miesiącu",
        "tracked": "Co widzimy",
        "tracked_words": "{shop} może widzieć, które e-maile i linki otwieram, i rozpoznawać mnie, "
        "gdy przez nie wchodzę do sklepu, żeby pisać o tym, co mnie interesuje",
        "language": "Język",
        "save": "Zapisz",
        "leave": "Zrezygnuj ze wszystkiego",
        "data": "Twoje dane",
        "to_export": "Poproś o kopię moich danych",
        "to_erase": "Usuń moje dane",
        "home": "Wróć do sklepu",
        "back": "Wróć do moich ustawień",
    },
}
MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def pick_language(*told: str) -> str:
    """Return the first of some language tags, such as `pl-PL`, that the pages speak; else English."""
    for tag in told:
        code = tag.lower().replace("_", "-").partition("-")[0]
        if code in TEXTS:
            return code
    return "en"
