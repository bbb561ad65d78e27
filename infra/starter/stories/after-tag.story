# What the journey after-tag does. `cartwake story` plays it; docs/stories.md tells how sentences are written.
# It is a draft: a shop turns it on when it wants it.

Journey after-tag is live.
Ada is subscribed to email.
Ada has first_name "Ada".

Story: The shop makes her a wholesale customer
Ada does "Tag Added" {"tag": "wholesale"}.
expect Ada enters after-tag at 10:00.
expect Ada gets email after-tag-1 on 2026-06-02 at 09:00, subject "Your wholesale account is open".
expect Ada leaves after-tag: completed.
expect Ada gets nothing else.

Story: It was a mistake, and the tag is taken away
Ada does "Tag Added" {"tag": "wholesale"}.
after 2 hours, Ada does "Tag Removed" {"tag": "wholesale"}.
expect Ada leaves after-tag: exited (Tag Removed).
expect Ada gets nothing.

Story: Another tag starts nothing
Ada does "Tag Added" {"tag": "press"}.
expect Ada does not enter after-tag.

Story: She buys half-way, and is welcomed all the same
Ada does "Tag Added" {"tag": "wholesale"}.
after 2 hours, Ada orders for 800.
expect Ada gets email after-tag-1 on 2026-06-02 at 09:00.
expect Ada gets nothing else.

Story: She unsubscribes half-way
Ada does "Tag Added" {"tag": "wholesale"}.
after 2 hours, Ada unsubscribes from email.
expect Ada gets no after-tag-1: unsubscribed.
expect Ada gets nothing.

Story: She was written to a moment ago, and it waits
Ada does "Tag Added" {"tag": "wholesale"}.
on 2026-06-02 at 07:00, Ada adds "Trail Runner" for 129.
after 2 hours, Ada orders.
expect Ada gets email cart-1 at 08:00.
expect Ada gets email after-tag-1 on 2026-06-03 at 00:00.
expect Ada gets nothing else.

Story: In the night and at the weekend nobody is at work
on 2026-06-05 at 20:00, Ada does "Tag Added" {"tag": "wholesale"}.
expect Ada gets email after-tag-1 on 2026-06-08 at 09:00.

Story: She comes in twice
Ada does "Tag Added" {"tag": "wholesale"}.
after 10 days, Ada does "Tag Added" {"tag": "wholesale"}.
expect Ada does not enter after-tag again: entered_before.
expect Ada gets email after-tag-1 on 2026-06-02.
expect Ada gets nothing else.

Story: A visitor is tagged, and logs in half-way
the visitor does "Tag Added" {"tag": "wholesale"}.
after 2 hours, the visitor logs in as Ada.
expect Ada enters after-tag at 10:00.
expect Ada gets email after-tag-1 on 2026-06-02 at 09:00.
expect Ada gets nothing else.
