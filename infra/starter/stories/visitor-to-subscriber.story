# What the journey visitor-to-subscriber does. `cartwake story` plays it; docs/stories.md tells how sentences are written.
# It is a draft: a shop turns it on when it wants it.

Journey visitor-to-subscriber is live.
Story: A visitor fills in a form, and confirms
the visitor visits "/shoes".
the visitor does "Subscription Requested" {"email": "eve@example.com", "form": "footer"} in the browser.
after 1 hour, the visitor confirms in confirm-1.
expect the visitor enters visitor-to-subscriber at 10:00.
expect the visitor gets email confirm-1 at 10:00.
expect the visitor gets email welcome-1 at 11:00.
expect the visitor gets email visitor-to-subscriber-1 on 2026-06-03 at 10:00.
expect the visitor gets email welcome-2 on 2026-06-04 at 11:00.
expect the visitor gets nothing else.

Story: Without a yes there is nothing more
the visitor does "Subscription Requested" {"email": "eve@example.com", "form": "footer"} in the browser.
expect the visitor gets email confirm-1.
expect the visitor leaves visitor-to-subscriber on 2026-06-08: completed.
expect the visitor gets nothing else.

Story: She buys half-way, and is asked all the same
the visitor does "Subscription Requested" {"email": "eve@example.com", "form": "footer"} in the browser.
after 1 hour, the visitor confirms in confirm-1.
after 3 hours, the visitor orders for 80.
expect the visitor gets email confirm-1.
expect the visitor gets email welcome-1.
expect the visitor gets email visitor-to-subscriber-1 on 2026-06-03 at 10:00.
expect the visitor gets nothing else.

Story: She has chosen already
the visitor does "Subscription Requested" {"email": "eve@example.com", "form": "footer"} in the browser.
after 1 hour, the visitor confirms in confirm-1.
after 3 hours, the visitor agrees to tracking in welcome-1.
expect the visitor gets email confirm-1.
expect the visitor gets email welcome-1.
expect the visitor gets no visitor-to-subscriber-1: step_condition.
expect the visitor gets email welcome-2.

Story: She unsubscribes half-way
the visitor does "Subscription Requested" {"email": "eve@example.com", "form": "footer"} in the browser.
after 1 hour, the visitor confirms in confirm-1.
after 3 hours, the visitor unsubscribes in welcome-1.
expect the visitor gets email confirm-1.
expect the visitor gets email welcome-1.
expect the visitor gets no visitor-to-subscriber-1: unsubscribed.
expect the visitor gets nothing else.

Story: She was written to a moment ago
the visitor does "Subscription Requested" {"email": "eve@example.com", "form": "footer"} in the browser.
after 1 hour, the visitor confirms in confirm-1.
on 2026-06-03 at 08:00, the visitor adds "Trail Runner" for 129.
after 150 minutes, the visitor orders.
expect the visitor gets email confirm-1.
expect the visitor gets email welcome-1.
expect the visitor gets email cart-1 on 2026-06-03 at 09:00.
expect the visitor gets no visitor-to-subscriber-1: frequency_cap.
expect the visitor gets nothing else.

Story: In the night the mail waits for the morning
the visitor does "Subscription Requested" {"email": "eve@example.com", "form": "footer"} in the browser.
at 22:00, the visitor confirms in confirm-1.
expect the visitor gets email confirm-1.
expect the visitor gets email welcome-1 at 22:00.
expect the visitor gets email visitor-to-subscriber-1 on 2026-06-03 at 10:00.
expect the visitor gets email welcome-2.

Story: She comes in twice
the visitor does "Subscription Requested" {"email": "eve@example.com", "form": "footer"} in the browser.
after 1 hour, the visitor confirms in confirm-1.
after 1 hour, the visitor does "Subscription Requested" {"email": "eve@example.com", "form": "footer"} in the browser.
expect the visitor does not enter visitor-to-subscriber again: already_active.
expect the visitor gets email confirm-1.
expect the visitor gets email welcome-1.
expect the visitor gets email visitor-to-subscriber-1 on 2026-06-03.
expect the visitor gets email welcome-2.
expect the visitor gets nothing else.

Story: The visitor logs in half-way, and is somebody who is known
Eve has {"email": "eve@example.com", "first_name": "Eve"}.
the visitor does "Subscription Requested" {"email": "eve@example.com", "form": "footer"} in the browser.
after 1 hour, the visitor confirms in confirm-1.
after 1 hour, the visitor logs in as Eve.
expect Eve gets email confirm-1 at 10:00.
expect Eve gets email welcome-1 at 11:00.
expect Eve gets email visitor-to-subscriber-1 on 2026-06-03 at 10:00, text "Hi Eve".
expect Eve gets email welcome-2.
expect Eve gets nothing else.
