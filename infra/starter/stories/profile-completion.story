# What the journey profile-completion does. `cartwake story` plays it; docs/stories.md tells how sentences are written.
# It is a draft: a shop turns it on when it wants it.

Journey profile-completion is live.
Ada is subscribed to email.

Story: She does not complete her account in a week, and does then
Ada does "Signed Up".
after 11 days, Ada gives {"first_name": "Ada", "birthday": "1990-11-10"}.
expect Ada enters profile-completion at 10:00.
expect Ada gets email profile-completion-1 on 2026-06-09 at 10:00.
expect Ada gets email profile-completion-2 on 2026-06-12 at 10:00, text "HELLO-".
expect Ada gets nothing else.

Story: She completes it in time
Ada does "Signed Up".
after 2 days, Ada gives first_name "Ada".
after 3 days, Ada gives birthday "1990-11-10".
expect Ada leaves profile-completion on 2026-06-06 at 10:00: completed.
expect Ada gets nothing.

Story: She never does
Ada does "Signed Up".
expect Ada gets email profile-completion-1 on 2026-06-09 at 10:00.
expect Ada leaves profile-completion on 2026-07-09: completed.
expect Ada gets nothing else.

Story: She buys half-way, and her account is as it was
Ada does "Signed Up".
after 3 days, Ada orders for 80.
expect Ada gets email profile-completion-1 on 2026-06-09.
expect Ada gets nothing else.

Story: She unsubscribes half-way
Ada does "Signed Up".
after 9 days, Ada unsubscribes in profile-completion-1.
after 1 day, Ada gives {"first_name": "Ada", "birthday": "1990-11-10"}.
expect Ada gets email profile-completion-1.
expect Ada gets no profile-completion-2: unsubscribed.
expect Ada gets nothing else.

Story: She was written to a moment ago, and the thanks wait
Ada does "Signed Up".
on 2026-06-10 at 08:00, Ada adds "Trail Runner" for 129.
after 2 hours, Ada orders.
Ada gives {"first_name": "Ada", "birthday": "1990-11-10"}.
expect Ada gets email profile-completion-1 on 2026-06-09 at 10:00.
expect Ada gets email cart-1 on 2026-06-10 at 09:00.
expect Ada gets email profile-completion-2 on 2026-06-11 at 01:00.
expect Ada gets nothing else.

Story: In the night the mail waits for the morning
at 22:00, Ada does "Signed Up".
expect Ada gets email profile-completion-1 on 2026-06-09 at 10:00.

Story: She comes in twice
Ada does "Signed Up".
after 60 days, Ada does "Signed Up".
expect Ada does not enter profile-completion again: entered_before.
expect Ada gets email profile-completion-1 on 2026-06-09.
expect Ada gets nothing else.

Story: A visitor signs up, logs in half-way, and is somebody who is known
Eve is subscribed to email.
Eve has {"first_name": "Eve", "birthday": "1985-11-10"}.
the visitor does "Signed Up" in the browser.
after 1 day, the visitor logs in as Eve.
expect Eve enters profile-completion on 2026-06-01.
expect Eve leaves profile-completion on 2026-06-02 at 10:00: completed.
expect Eve gets nothing.
