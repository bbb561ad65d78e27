# What the journey lead-nurture does. `cartwake story` plays it; docs/stories.md tells how sentences are written.
# It is a draft: a shop turns it on when it wants it.

Journey lead-nurture is live.
Ada is subscribed to email.
Ada has first_name "Ada".

Story: She looks around, reads, looks more, and gets a reason to decide
Ada views "Trail Runner".
Ada views "Road Star".
Ada views "Sylt Sneaker".
Ada views "Hiddensee Boot".
Ada views "Wool Socks".
Ada views "Rain Jacket".
on 2026-06-04 at 10:00, Ada visits "/how-to-choose".
Ada views "Amrum Sandal".
Ada views "Sylt Sneaker".
Ada views "Juist Slipper".
Ada views "Trail Runner".
Ada views "Road Star".
Ada visits "/size-guide".
Ada visits "/leather".
Ada visits "/repairs".
Ada visits "/returns".
Ada visits "/shops".
expect Ada is in segment leads.
expect Ada enters lead-nurture at 10:00.
expect Ada gets email lead-nurture-1 on 2026-06-03 at 10:00.
expect Ada gets email lead-nurture-3 on 2026-06-06 at 10:00, text "FIRST-".
expect Ada gets nothing else.

Story: She does not get warm
Ada views "Trail Runner".
Ada views "Road Star".
Ada views "Sylt Sneaker".
Ada views "Hiddensee Boot".
Ada views "Wool Socks".
Ada views "Rain Jacket".
expect Ada gets email lead-nurture-1 on 2026-06-03 at 10:00.
expect Ada gets email lead-nurture-2 on 2026-06-10 at 10:00.
expect Ada leaves lead-nurture on 2026-06-24: completed.
expect Ada gets nothing else.

Story: She buys half-way
Ada views "Trail Runner".
Ada views "Road Star".
Ada views "Sylt Sneaker".
Ada views "Hiddensee Boot".
Ada views "Wool Socks".
Ada views "Rain Jacket".
after 4 days, Ada orders for 80.
expect Ada gets email lead-nurture-1.
expect Ada leaves lead-nurture: exited (Order Completed).
expect Ada gets nothing else.

Story: She unsubscribes half-way
Ada views "Trail Runner".
Ada views "Road Star".
Ada views "Sylt Sneaker".
Ada views "Hiddensee Boot".
Ada views "Wool Socks".
Ada views "Rain Jacket".
after 4 days, Ada unsubscribes in lead-nurture-1.
expect Ada gets email lead-nurture-1.
expect Ada gets no lead-nurture-2: unsubscribed.
expect Ada gets nothing else.

Story: She was written to a moment ago
Ada views "Trail Runner".
Ada views "Road Star".
Ada views "Sylt Sneaker".
Ada views "Hiddensee Boot".
Ada views "Wool Socks".
Ada views "Rain Jacket".
on 2026-06-03 at 08:00, Ada adds "Trail Runner" for 129.
after 90 minutes, Ada removes "Trail Runner".
expect Ada gets email cart-1 on 2026-06-03 at 09:00.
expect Ada gets no lead-nurture-1: frequency_cap.

Story: In the night the mail waits for the morning
at 22:00, Ada has city "Berlin".
Ada views "Trail Runner".
Ada views "Road Star".
Ada views "Sylt Sneaker".
Ada views "Hiddensee Boot".
Ada views "Wool Socks".
Ada views "Rain Jacket".
expect Ada enters lead-nurture at 22:00.
expect Ada gets email lead-nurture-1 on 2026-06-03 at 10:00.
expect Ada gets email lead-nurture-2 on 2026-06-10 at 10:00.

Story: She comes in twice
Ada views "Trail Runner".
Ada views "Road Star".
Ada views "Sylt Sneaker".
Ada views "Hiddensee Boot".
Ada views "Wool Socks".
Ada views "Rain Jacket".
after 60 days
Ada views "Trail Runner".
Ada views "Road Star".
Ada views "Sylt Sneaker".
Ada views "Hiddensee Boot".
Ada views "Wool Socks".
Ada views "Rain Jacket".
expect Ada enters lead-nurture on 2026-06-01.
expect Ada does not enter lead-nurture again: entered_before.
expect Ada gets email lead-nurture-1.
expect Ada gets email lead-nurture-2.
expect Ada gets nothing else.

Story: A visitor logs in half-way, and what he looked at counts
the visitor views "Trail Runner".
the visitor views "Road Star".
the visitor views "Sylt Sneaker".
the visitor views "Hiddensee Boot".
the visitor views "Wool Socks".
the visitor views "Rain Jacket".
after 1 hour, the visitor logs in as Ada.
expect Ada enters lead-nurture at 11:00.
expect Ada gets email lead-nurture-1 on 2026-06-03 at 10:00.
expect Ada gets email lead-nurture-2.
expect Ada gets nothing else.
