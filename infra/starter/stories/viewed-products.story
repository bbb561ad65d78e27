# What the journey viewed-products does. `cartwake story` plays it; docs/stories.md tells how sentences are written.
# It is a draft: a shop turns it on when it wants it.

Ada is subscribed to email.
Ada has first_name "Ada".
Journey viewed-products is live.

Story: She looks, and does not come back
Ada does "Product Viewed" {"product_id": "trail-runner", "name": "Trail Runner", "price": 129, "url": "https://www.nordlicht.example/p/trail-runner"}.
expect Ada enters viewed-products at 10:00.
expect Ada gets email viewed-1 at 14:00, subject "Still thinking about Trail Runner?", text "https://www.nordlicht.example/p/trail-runner".
expect Ada gets email viewed-2 on 2026-06-04 at 10:00, text "€129.00".
expect Ada gets email viewed-3 on 2026-06-08 at 10:00.
expect Ada leaves viewed-products: completed.
expect Ada gets nothing else.

Story: She goes on looking, and is left alone until she is done
Ada views "Trail Runner".
after 3 hours, Ada views "Road Star".
after 3 hours, Ada visits "/shoes".
expect Ada gets email viewed-1 at 20:00, text "Trail Runner".

Story: She puts it into the cart: the cart has reminders of its own
Ada views "Trail Runner".
after 1 hour, Ada adds "Trail Runner" for 129.
expect Ada leaves viewed-products after 1 hour: exited (Product Added).
expect Ada gets no viewed-1: exited (Product Added).
expect Ada gets email cart-1 after 1 hour.
expect Ada gets email cart-2.
expect Ada gets nothing else.

Story: What is in her cart counts for more than what she looks at
Ada adds "Wool Socks" for 12.50.
after 1 day, Ada views "Trail Runner".
expect Ada does not enter viewed-products: filter.

Story: She buys half-way
Ada views "Trail Runner".
after 1 day, Ada orders for 129.
expect Ada gets email viewed-1.
expect Ada leaves viewed-products after 1 day: exited (Order Completed).
expect Ada gets no viewed-2: exited (Order Completed).
expect Ada gets nothing else.

Story: She bought last week
5 days ago, Ada orders for 80.
Ada views "Trail Runner".
expect Ada does not enter viewed-products: filter.
expect Ada gets nothing.

Story: She unsubscribes half-way
Ada views "Trail Runner".
after 1 day, Ada unsubscribes in viewed-1.
expect Ada gets email viewed-1.
expect Ada gets no viewed-2: unsubscribed.
expect Ada gets nothing else.

Story: She was written to a moment ago
Eve gives email "eve@example.com".
Eve views "Trail Runner".
after 3 hours, Eve subscribes to email.
expect Eve gets email welcome-1.
expect Eve gets no viewed-1: frequency_cap.
expect Eve gets email viewed-2.

Story: In the night the later mails wait for the morning, by her own clock
Ada has timezone "America/New_York".
at 23:00, Ada views "Trail Runner".
expect Ada gets email viewed-2 at 10:00 their time.
expect Ada gets email viewed-3 at 10:00 their time.

Story: She comes in twice, two weeks later
Ada views "Trail Runner".
after 5 days, Ada views "Road Star".
after 10 days, Ada views "Rain Jacket".
expect Ada enters viewed-products at 10:00.
expect Ada enters viewed-products on 2026-06-16 at 10:00.

Story: A visitor looks, and logs in half-way
the visitor views "Trail Runner".
after 2 hours, the visitor logs in as Ada.
expect Ada enters viewed-products at 10:00.
expect Ada gets email viewed-1 at 14:00, subject "Trail Runner".
expect Ada gets email viewed-2.
expect Ada gets email viewed-3.
expect Ada gets nothing else.
