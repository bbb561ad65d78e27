# What the journey win-back-openings does. `cartwake story` plays it; docs/stories.md tells how sentences are written.
# It is a draft: a shop turns it on when it wants it.

Journey win-back-openings is live.
Ada is subscribed to email.
200 days ago, Ada orders for 90.
55 days ago, Ada visits "/shoes".
30 days ago, Ada does "Email Sent" {"template": "news-1"}.
23 days ago, Ada does "Email Sent" {"template": "news-2"}.
16 days ago, Ada does "Email Sent" {"template": "news-3"}.
9 days ago, Ada does "Email Sent" {"template": "news-4"}.

Story: She reads nothing for 60 days, and is asked on a Tuesday
after 60 days
expect Ada enters win-back-openings on 2026-06-06 at 10:00.
expect Ada gets email win-back-openings-1 on 2026-06-09 at 10:00.
expect Ada gets email win-back-openings-2 on 2026-06-23 at 10:00.
expect Ada leaves win-back-openings on 2026-07-07 at 10:00: completed.
expect Ada gets nothing else.

Story: She opens the first one
after 10 days, Ada opens win-back-openings-1.
after 30 days
expect Ada gets email win-back-openings-1.
expect Ada leaves win-back-openings: exited (Email Opened).
expect Ada gets no win-back-openings-2: exited (Email Opened).
expect Ada gets nothing else.

Story: She buys half-way
after 10 days, Ada orders for 60.
after 30 days
expect Ada gets email win-back-openings-1.
expect Ada leaves win-back-openings: exited (Order Completed).
expect Ada gets nothing else.

Story: She unsubscribes half-way, which is an answer too
after 10 days, Ada unsubscribes in win-back-openings-1.
after 30 days
expect Ada gets email win-back-openings-1.
expect Ada gets no win-back-openings-2: unsubscribed.
expect Ada gets nothing else.

Story: She was written to a moment ago
on 2026-06-09 at 08:00, Ada adds "Trail Runner" for 129.
after 60 days
expect Ada gets email cart-1 at 09:00.
expect Ada gets no win-back-openings-1: frequency_cap.
expect Ada gets email cart-2 on 2026-06-10.
expect Ada gets email win-back-openings-2 on 2026-06-23 at 10:00.

Story: In the night the mail waits for the morning, and her morning is in New York
Ada gives timezone "America/New_York".
after 60 days
expect Ada gets email win-back-openings-1 on 2026-06-09 at 10:00 their time.
expect Ada gets email win-back-openings-2 on 2026-06-23 at 10:00 their time.

Story: She comes in twice, too soon
after 15 days, Ada visits "/shoes".
Ada does "Email Sent" {"template": "news-5"}.
Ada does "Email Sent" {"template": "news-6"}.
Ada does "Email Sent" {"template": "news-7"}.
Ada does "Email Sent" {"template": "news-8"}.
after 10 days, Ada does "Email Sent" {"template": "news-9"}.
Ada does "Email Sent" {"template": "news-10"}.
Ada does "Email Sent" {"template": "news-11"}.
Ada does "Email Sent" {"template": "news-12"}.
after 55 days
expect Ada enters win-back-openings on 2026-06-06.
expect Ada does not enter win-back-openings again: entered_before.
expect Ada gets email win-back-openings-1.
expect Ada gets nothing else.

Story: A visitor logs in half-way, and it is she who is back
after 10 days, the visitor visits "/shoes".
after 10 minutes, the visitor logs in as Ada.
after 30 days
expect Ada gets email win-back-openings-1.
expect Ada leaves win-back-openings: exited (Page Viewed).
expect Ada gets nothing else.
