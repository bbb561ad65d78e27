# What the journey abandoned-checkout does. `cartwake story` plays it; docs/stories.md tells how sentences are written.

Ada is subscribed to email.

Story: She leaves the checkout and does not come back
Ada adds "Trail Runner" for 129.
after 10 minutes, Ada starts the checkout.
expect Ada enters abandoned-checkout at 10:10.
expect Ada gets email checkout-1 after 45 minutes, subject "Your order is nearly done", text "€129.00".
expect Ada gets email checkout-2 on 2026-06-02 at 09:55.
expect Ada leaves abandoned-checkout: completed.
expect Ada gets nothing else.

Story: The cart's reminders give way to those of the checkout
Ada adds "Trail Runner" for 129.
after 10 minutes, Ada starts the checkout.
expect Ada enters abandoned-cart.
expect Ada gets no cart-1: filter.
expect Ada gets no cart-2: filter.
expect Ada gets email checkout-1.
expect Ada gets email checkout-2.

Story: She buys half-way
Ada adds "Trail Runner" for 129.
Ada starts the checkout.
after 3 hours, Ada orders.
expect Ada gets email checkout-1 after 45 minutes.
expect Ada leaves abandoned-checkout after 3 hours: exited (Order Completed).
expect Ada gets no checkout-2: exited (Order Completed).
expect Ada gets nothing else.

Story: She only looks up how the payment works
Ada adds "Trail Runner" for 129.
Ada starts the checkout.
after 30 minutes, Ada visits "/help/payment".
after 30 minutes, Ada orders.
expect Ada gets nothing.

Story: She unsubscribes half-way
Ada adds "Trail Runner" for 129.
Ada starts the checkout.
after 2 hours, Ada unsubscribes in checkout-1.
expect Ada gets email checkout-1.
expect Ada gets no checkout-2: unsubscribed.
expect Ada gets nothing else.

Story: She got the cart's mail a moment ago, so the first one is held until the cap is over
Ada adds "Trail Runner" for 129.
after 2 hours, Ada starts the checkout.
expect Ada gets email cart-1 at 11:00.
expect Ada gets email checkout-1 on 2026-06-02 at 03:00.
expect Ada gets no checkout-2: frequency_cap.
expect Ada gets nothing else.

Story: In quiet hours an SMS waits for the morning
Ben is subscribed to email and sms.
at 21:30, Ben adds "Trail Runner" for 129.
Ben starts the checkout.
expect Ben gets email checkout-1 at 22:15.
expect Ben gets sms checkout-sms on 2026-06-03 between 09:00 and 09:10, text "nearly done".
expect Ben gets nothing else.

Story: She comes in twice
Ada adds "Trail Runner" for 129.
Ada starts the checkout.
after 1 day, Ada starts the checkout.
expect Ada does not enter abandoned-checkout again.
expect Ada gets email checkout-1 after 45 minutes.
expect Ada gets email checkout-2.
expect Ada gets nothing else.

Story: A visitor logs in half-way, and is somebody who is known
the visitor adds "Trail Runner" for 129.
the visitor starts the checkout.
after 10 minutes, the visitor logs in as Ada.
expect Ada enters abandoned-checkout at 10:00.
expect Ada gets email checkout-1 after 45 minutes, text "Trail Runner".
expect Ada gets email checkout-2.
expect Ada gets nothing else.
