# What the journey offer-by-source does. `cartwake story` plays it; docs/stories.md tells how sentences are written.
# It is a draft: a shop turns it on when it wants it.

Journey offer-by-source is live.
Ada has {"email": "ada@example.com", "first_name": "Ada"}.

Story: She came by a search for hiking boots
Ada visits "https://www.nordlicht.example/?utm_source=google&utm_medium=cpc&utm_term=hiking+boots".
Ada subscribes to email.
expect Ada gets email welcome-1.
expect Ada gets email welcome-2 after 3 days.
expect Ada gets email offer-by-source-hiking on 2026-06-07 at 10:00, text "PEAK-".
expect Ada gets nothing else.

Story: She searched for them in the shop
Ada does "Products Searched" {"query": "women's hiking boots"} in the browser.
Ada subscribes to email.
expect Ada gets email welcome-1.
expect Ada gets email welcome-2.
expect Ada gets email offer-by-source-hiking on 2026-06-07 at 10:00.
expect Ada gets nothing else.

Story: She came by a picture
Ada visits "https://www.nordlicht.example/?utm_source=instagram".
Ada subscribes to email.
expect Ada gets email welcome-1.
expect Ada gets email welcome-2.
expect Ada gets email offer-by-source-social on 2026-06-07 at 10:00.
expect Ada gets nothing else.

Story: Nobody knows where she came from
Ada subscribes to email.
expect Ada gets email welcome-1.
expect Ada gets email welcome-2.
expect Ada gets no offer-by-source-social: step_condition.
expect Ada gets nothing else.

Story: She buys half-way
Ada visits "https://www.nordlicht.example/?utm_source=google&utm_medium=cpc&utm_term=hiking+boots".
Ada subscribes to email.
after 1 day, Ada orders for 80.
expect Ada gets email welcome-1.
expect Ada leaves offer-by-source: exited (Order Completed).
expect Ada gets nothing else.

Story: She unsubscribes half-way
Ada visits "https://www.nordlicht.example/?utm_source=google&utm_medium=cpc&utm_term=hiking+boots".
Ada subscribes to email.
after 1 day, Ada unsubscribes in welcome-1.
expect Ada gets email welcome-1.
expect Ada gets no offer-by-source-hiking: unsubscribed.
expect Ada gets nothing else.

Story: She was written to a moment ago
Ada visits "https://www.nordlicht.example/?utm_source=google&utm_medium=cpc&utm_term=hiking+boots".
Ada subscribes to email.
on 2026-06-07 at 08:00, Ada adds "Trail Runner" for 129.
after 90 minutes, Ada visits "/cart".
expect Ada gets email welcome-1.
expect Ada gets email welcome-2.
expect Ada gets email cart-1 on 2026-06-07 at 09:00.
expect Ada gets no offer-by-source-hiking: frequency_cap.
expect Ada gets email cart-2.

Story: In the night the mail waits for the morning
Ada visits "https://www.nordlicht.example/?utm_source=google&utm_medium=cpc&utm_term=hiking+boots".
at 22:00, Ada subscribes to email.
expect Ada gets email welcome-1 at 22:00.
expect Ada gets email welcome-2.
expect Ada gets email offer-by-source-hiking on 2026-06-07 at 10:00.

Story: She comes in twice
Ada visits "https://www.nordlicht.example/?utm_source=google&utm_medium=cpc&utm_term=hiking+boots".
Ada subscribes to email.
after 10 days, Ada unsubscribes from email.
after 10 days, Ada subscribes to email.
expect Ada does not enter offer-by-source again: entered_before.
expect Ada gets email welcome-1.
expect Ada gets email welcome-2.
expect Ada gets email offer-by-source-hiking.
expect Ada gets nothing else.

Story: A visitor came by the search, and logs in half-way
the visitor visits "https://www.nordlicht.example/?utm_source=google&utm_medium=cpc&utm_term=hiking+boots".
Ada subscribes to email.
after 1 day, the visitor logs in as Ada.
expect Ada gets email welcome-1.
expect Ada gets email welcome-2.
expect Ada gets email offer-by-source-hiking on 2026-06-07 at 10:00.
expect Ada gets nothing else.
