# What the journey abandoned-cart does. `cartwake story` plays it; docs/stories.md tells how sentences are written.

Ada is subscribed to email.
Ada has first_name "Ada".

Story: She leaves a cart and does not come back
Ada views "Trail Runner".
Ada adds "Trail Runner" for 129.
expect Ada enters abandoned-cart at 10:00.
expect Ada gets email cart-1 after 1 hour, subject "You left Trail Runner behind", text "€129.00".
expect Ada gets email cart-2 after 1 day, subject "Ada, your cart is still here".
expect Ada leaves abandoned-cart after 1 day: completed.
expect Ada gets nothing else.

Story: She goes on looking, and the first hour begins anew
Ada adds "Trail Runner" for 129.
after 50 minutes, Ada visits "/shoes/road-star".
after 50 minutes, Ada adds 2 "Wool Socks" for 12.50.
expect Ada gets email cart-1 at 12:40, text "Wool Socks".
expect Ada gets email cart-2 on 2026-06-02 at 11:40.

Story: She buys half-way
Ada adds "Trail Runner" for 129.
after 3 hours, Ada starts the checkout.
Ada orders.
expect Ada gets email cart-1 after 1 hour.
expect Ada leaves abandoned-cart after 3 hours: exited (Order Completed).
expect Ada gets no cart-2: exited (Order Completed).
expect Ada gets nothing else.

Story: She buys at once
Ada adds "Trail Runner" for 129.
after 20 minutes, Ada orders.
expect Ada gets no email: exited (Order Completed).
expect Ada gets nothing.

Story: She unsubscribes half-way, with the link in the first mail
Ada adds "Trail Runner" for 129.
after 2 hours, Ada opens cart-1.
Ada unsubscribes in cart-1.
expect Ada gets email cart-1 after 1 hour.
expect Ada gets no cart-2: unsubscribed.
expect Ada gets nothing else.

Story: She marks the first mail as spam
Ada adds "Trail Runner" for 129.
after 2 hours, Ada marks cart-1 as spam.
expect Ada gets email cart-1.
expect Ada leaves abandoned-cart after 2 hours: exited (Email Marked as Spam).
expect Ada gets no cart-2: exited (Email Marked as Spam).

Story: She was written to a moment ago
Eve gives email "eve@example.com".
Eve subscribes to email.
after 10 minutes, Eve adds "Trail Runner" for 129.
expect Eve gets email welcome-1 after 0 minutes.
expect Eve gets no cart-1: frequency_cap.
expect Eve gets email cart-2 after 1 day.

Story: In quiet hours an SMS waits for the morning
Ben is subscribed to email and sms.
at 21:30, Ben adds "Trail Runner" for 129.
expect Ben gets email cart-1 after 1 hour.
expect Ben gets sms cart-sms on 2026-06-03 between 09:00 and 09:10, text "Trail Runner".
expect Ben gets nothing else.

Story: In New York it is morning later
Ben is subscribed to email and sms.
Ben has timezone "America/New_York".
at 10:00, Ben adds "Trail Runner" for 129.
expect Ben gets email cart-1 at 05:00 their time.
expect Ben gets sms cart-sms on 2026-06-02 between 09:00 and 09:10 their time.

Story: She comes in twice
Ada adds "Trail Runner" for 129.
after 2 hours, Ada adds "Wool Socks" for 12.50.
expect Ada does not enter abandoned-cart again: already_active.
expect Ada gets email cart-1 after 1 hour.
expect Ada gets email cart-2 after 1 day.
expect Ada gets nothing else.

Story: She comes in again when a week is over
Ada adds "Trail Runner" for 129.
after 3 days, Ada adds "Wool Socks" for 12.50.
after 5 days, Ada adds "Rain Jacket" for 149.
expect Ada enters abandoned-cart.
expect Ada enters abandoned-cart on 2026-06-09 at 10:00.
expect Ada gets email cart-1 on 2026-06-01 at 11:00.
expect Ada gets email cart-2 on 2026-06-02 at 10:00.
expect Ada gets email cart-1 on 2026-06-09 at 11:00, text "Rain Jacket".
expect Ada gets email cart-2 on 2026-06-10 at 10:00.
expect Ada gets nothing else.

Story: A visitor logs in half-way, and is somebody who is known
the visitor adds "Trail Runner" for 129.
after 30 minutes, the visitor logs in as Ada.
expect Ada enters abandoned-cart at 10:00.
expect Ada gets email cart-1 after 1 hour, subject "Trail Runner".
expect Ada gets email cart-2 after 1 day.
expect Ada gets nothing else.

Story: Both had a cart before, and the earlier one counts
the visitor adds "Trail Runner" for 129.
after 10 minutes, Ada adds "Wool Socks" for 12.50.
after 10 minutes, the visitor logs in as Ada.
expect Ada gets email cart-1 at 11:10, text "Wool Socks".
expect Ada leaves abandoned-cart: merged_with_earlier_run.
expect Ada gets email cart-2 on 2026-06-02 at 10:10.
expect Ada gets nothing else.

Story: She orders as a guest, on the server's word that it is her
Ada adds "Trail Runner" for 129.
after 2 hours, the visitor orders for 129.
after 1 minute, the visitor logs in as Ada.
expect Ada gets email cart-1 after 1 hour.
expect Ada gets no cart-2: exited (Order Completed).

Story: She never agreed
Kim has email "kim@example.com".
Kim adds "Trail Runner" for 129.
expect Kim enters abandoned-cart.
expect Kim gets no cart-1: no_consent.
expect Kim gets nothing.

Story: No mail reaches her
mail to Ada bounces.
Ada adds "Trail Runner" for 129.
expect Ada gets email cart-1.
expect Ada gets no cart-2: suppressed_bounce.

Story: A large cart brings a code, and one word more
Pool cart-10 has 3 codes.
Ada adds 3 "Trail Runner" for 129.
expect Ada gets email cart-1 after 1 hour.
expect Ada gets email cart-2 after 1 day.
expect Ada gets email cart-3 after 3 days, subject "10 % off your cart", text "CART-10-".
expect Ada gets email cart-4 after 6 days, text "€387.00".
expect Ada leaves abandoned-cart after 6 days: completed.
expect Ada gets nothing else.

Story: She buys with the code
Pool cart-10 has 3 codes.
Ada adds 3 "Trail Runner" for 129.
after 4 days, Ada orders.
expect Ada gets email cart-1.
expect Ada gets email cart-2.
expect Ada gets email cart-3.
expect Ada gets no cart-4: exited (Order Completed).
expect Ada gets nothing else.

Story: The shop has put no codes in, and nothing is promised
Ada adds 3 "Trail Runner" for 129.
expect Ada gets no cart-3: no_coupon.
expect Ada gets email cart-4.

Story: She goes on to the checkout, which has reminders of its own
Ada adds "Trail Runner" for 129.
after 10 minutes, Ada starts the checkout.
expect Ada gets no cart-1: filter.
expect Ada gets no cart-2: filter.
expect Ada gets email checkout-1.
