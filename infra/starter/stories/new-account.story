# What the journey new-account does. `cartwake story` plays it; docs/stories.md tells how sentences are written.
# It is a draft: a shop turns it on when it wants it.

Ada is subscribed to email.
Ada has first_name "Ada".
Journey new-account is live.

Story: She opens an account
Ada does "Signed Up".
expect Ada gets email account-1 after 15 minutes, subject "Your account at Nordlicht Shoes is ready".
expect Ada gets email account-2 on 2026-06-06 at 10:00.
expect Ada leaves new-account: completed.
expect Ada gets nothing else.

Story: She buys half-way
Ada does "Signed Up".
after 1 day, Ada orders for 80.
expect Ada gets email account-1.
expect Ada gets no account-2: step_condition.
expect Ada gets nothing else.

Story: She unsubscribes half-way
Ada does "Signed Up".
after 1 day, Ada unsubscribes in account-1.
expect Ada gets email account-1.
expect Ada gets no account-2: unsubscribed.
expect Ada gets nothing else.

Story: She subscribed a moment ago: the mail is held until the cap is over
Eve gives email "eve@example.com".
Eve subscribes to email.
Eve does "Signed Up".
expect Eve gets email welcome-1 at 10:00.
expect Eve gets email account-1 on 2026-06-02 at 02:01.

Story: In the night the second mail waits for the morning
at 02:00, Ada does "Signed Up".
expect Ada gets email account-1 at 02:15.
expect Ada gets email account-2 on 2026-06-06 at 10:00.

Story: She comes in twice, with two accounts
Ada does "Signed Up".
after 10 days, Ada does "Signed Up".
expect Ada does not enter new-account again: entered_before.
expect Ada gets email account-1.
expect Ada gets email account-2.
expect Ada gets nothing else.

Story: A visitor opens an account, and is known half-way
the visitor does "Signed Up".
after 10 minutes, the visitor logs in as Ada.
expect Ada enters new-account at 10:00.
expect Ada gets email account-1 after 15 minutes.
expect Ada gets email account-2.
expect Ada gets nothing else.

Story: She never agreed to marketing
Kim has email "kim@example.com".
Kim does "Signed Up".
expect Kim gets no account-1: no_consent.
expect Kim gets nothing.
