# What the journey after-page does. `cartwake story` plays it; docs/stories.md tells how sentences are written.
# It is a draft: a shop turns it on when it wants it.

Journey after-page is live.
Ada is subscribed to email.
Ada has first_name "Ada".

Story: She reads the size guide, and leaves
Ada visits "/help/size-guide".
after 20 minutes, Ada views "Trail Runner".
expect Ada enters after-page at 10:00.
expect Ada gets email after-page-1 at 11:20, subject "Not sure about your size?".
expect Ada gets nothing else.

Story: Another page starts nothing
Ada visits "/help/shipping".
expect Ada does not enter after-page.

Story: She buys half-way
Ada visits "/help/size-guide".
after 30 minutes, Ada orders for 80.
expect Ada leaves after-page: exited (Order Completed).
expect Ada gets nothing.

Story: The cart goes first
Ada visits "/help/size-guide".
after 30 minutes, Ada adds "Trail Runner" for 129.
expect Ada leaves after-page: exited (Product Added).
expect Ada gets email cart-1 at 11:30.
expect Ada gets email cart-2.
expect Ada gets nothing else.

Story: She unsubscribes half-way
Ada visits "/help/size-guide".
after 30 minutes, Ada unsubscribes from email.
expect Ada gets no after-page-1: unsubscribed.
expect Ada gets nothing.

Story: She was written to a moment ago
Eve gives email "eve@example.com".
Eve subscribes to email.
after 10 minutes, Eve visits "/help/size-guide".
expect Eve gets email welcome-1.
expect Eve gets no after-page-1: frequency_cap.
expect Eve gets email welcome-2.

Story: In the night a mail goes out all the same
at 03:00, Ada visits "/help/size-guide".
expect Ada gets email after-page-1 at 04:00.

Story: She comes in twice
Ada visits "/help/size-guide".
after 10 days, Ada visits "/help/size-guide".
expect Ada does not enter after-page again: entered_before.
expect Ada gets email after-page-1 after 1 hour.
expect Ada gets nothing else.

Story: A visitor reads it, and logs in half-way
the visitor visits "/help/size-guide".
after 30 minutes, the visitor logs in as Ada.
expect Ada enters after-page at 10:00.
expect Ada gets email after-page-1 at 11:00.
expect Ada gets nothing else.
