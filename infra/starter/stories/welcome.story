# What the journey welcome does. `cartwake story` plays it; docs/stories.md tells how sentences are written.

Ada has {"email": "ada@example.com", "first_name": "Ada"}.

Story: She subscribes
Ada subscribes to email.
expect Ada gets email welcome-1 after 0 minutes, subject "Welcome to Nordlicht Shoes".
expect Ada gets email welcome-2 after 3 days.
expect Ada leaves welcome: completed.
expect Ada gets nothing else.

Story: She buys half-way
Ada subscribes to email.
after 1 day, Ada orders for 80.
expect Ada gets email welcome-1.
expect Ada gets no welcome-2: completed.
expect Ada gets nothing else.

Story: She unsubscribes half-way
Ada subscribes to email.
after 2 days, Ada unsubscribes in welcome-1.
expect Ada gets email welcome-1.
expect Ada leaves welcome after 2 days: exited (Unsubscribed).
expect Ada gets no welcome-2: exited (Unsubscribed).
expect Ada gets nothing else.

Story: The second mail comes on the day of another
Ada subscribes to email.
after 70 hours, Ada adds "Trail Runner" for 129.
expect Ada gets email welcome-1.
expect Ada gets email cart-1 after 1 hour.
expect Ada gets no welcome-2: frequency_cap.

Story: In the night a mail goes out all the same
at 03:00, Ada subscribes to email.
expect Ada gets email welcome-1 at 03:00.

Story: She subscribes twice
Ada subscribes to email.
after 1 day, Ada unsubscribes from email.
after 1 day, Ada subscribes to email.
expect Ada gets email welcome-1 after 0 minutes.
expect Ada leaves welcome: exited (Unsubscribed).
expect Ada does not enter welcome again: entered_before.
expect Ada gets nothing else.

Story: A visitor subscribes by a form, and logs in half-way
the visitor gives email "ada@example.com".
the visitor subscribes to email.
after 1 day, the visitor logs in as Ada.
expect Ada enters welcome at 10:00.
expect Ada gets email welcome-1.
expect Ada gets email welcome-2 after 3 days.
expect Ada gets nothing else.

Story: Only a browser says that she subscribes
Ada subscribes to email in the browser.
expect Ada does not enter welcome.
expect Ada gets nothing.
