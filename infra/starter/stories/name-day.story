# What the journey name-day does. `cartwake story` plays it; docs/stories.md tells how sentences are written.
# It is a draft: a shop turns it on when it wants it.

today is 2026-07-20
Journey name-day is live.
Journey name-day-list is live.
Anna is subscribed to email.

Story: The shop hears her name, and her name day comes
Anna gives first_name "Anna".
after 4 days
expect Anna enters name-day-list at 10:00.
expect Anna enters name-day on 2026-07-23 at 00:00.
expect Anna gets email name-day-1 on 2026-07-26 at 09:00, subject "All the best on your name day, Anna".
expect Anna gets nothing else.

Story: A name that is not on the list
Xaver is subscribed to email.
Xaver gives first_name "Xaver".
after 10 days
expect Xaver enters name-day-list.
expect Xaver does not enter name-day.
expect Xaver gets nothing.

Story: She has told another day herself, and that one counts
Eve is subscribed to email.
Eve has {"first_name": "Anna", "name_day": "2000-07-25"}.
Eve gives first_name "Anne".
after 4 days
expect Eve does not enter name-day-list.
expect Eve gets email name-day-1 on 2026-07-25 at 09:00.
expect Eve gets nothing else.

Story: She buys half-way, and is congratulated all the same
Anna gives first_name "Anna".
after 4 days, Anna orders for 80.
expect Anna gets email name-day-1 on 2026-07-26 at 09:00.
expect Anna gets nothing else.

Story: She unsubscribes half-way
Anna gives first_name "Anna".
after 4 days, Anna unsubscribes from email.
expect Anna gets no name-day-1: unsubscribed.
expect Anna gets nothing.

Story: She was written to a moment ago
Anna gives first_name "Anna".
on 2026-07-26 at 07:30, Anna adds "Trail Runner" for 129.
after 90 minutes, Anna orders.
expect Anna gets email cart-1 at 08:30.
expect Anna gets no name-day-1: frequency_cap.
expect Anna gets nothing else.

Story: In the night nobody is congratulated, and in New York it is morning later
Anna has timezone "America/New_York".
Anna gives first_name "Anna".
after 4 days
expect Anna gets email name-day-1 on 2026-07-26 at 09:00 their time.

Story: She comes in twice: a year later
Anna gives first_name "Anna".
after 370 days
expect Anna gets email name-day-1 on 2026-07-26.
expect Anna gets email name-day-1 on 2027-07-26.
expect Anna gets nothing else.

Story: A visitor tells a name, and logs in half-way
Eve is subscribed to email.
the visitor gives first_name "Anna".
after 1 day, the visitor logs in as Eve.
after 3 days
expect Eve gets email name-day-1 on 2026-07-26 at 09:00.
expect Eve gets nothing else.
