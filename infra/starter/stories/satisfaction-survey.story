# What the journey satisfaction-survey does. `cartwake story` plays it; docs/stories.md tells how sentences are written.
# It is a draft: a shop turns it on when it wants it.

Ada is subscribed to email.
Ada has first_name "Ada".
Journey satisfaction-survey is live.

Story: She is content, on the page behind the mail
Ada does "Order Delivered".
after 5 days, Ada does "Survey Answered" {"rating": 5}.
expect Ada gets email survey-1 on 2026-06-05 at 10:00, text "/survey?rating=5".
expect Ada is not in segment unhappy.
expect Ada leaves satisfaction-survey.
expect Ada gets nothing else.

Story: She is not, and a person takes over
Ada does "Order Delivered".
after 5 days, Ada does "Survey Answered" {"rating": 2, "text": "The left one squeaks."}.
after 1 minute
expect Ada is in segment unhappy.
expect Ada gets email survey-1.
expect Ada gets email survey-2 on 2026-06-06 at 10:00, subject "That was not good enough".
expect Ada leaves satisfaction-survey after 5 days: completed.
expect Ada gets nothing else.

Story: A click on a low number in the mail is an answer too, where she may be seen
Ada does "Order Delivered".
after 5 days, Ada agrees to tracking in survey-1.
after 86 days, Ada does "Order Delivered".
after 4 days, Ada clicks "rating=1" in survey-1.
after 1 minute
expect Ada is in segment unhappy.
expect Ada gets email survey-1 on 2026-06-05.
expect Ada gets email survey-1 on 2026-09-03.
expect Ada gets email survey-2 on 2026-09-04.

Story: A click on a high number brings nothing more
Ada does "Order Delivered".
after 5 days, Ada agrees to tracking in survey-1.
after 86 days, Ada does "Order Delivered".
after 4 days, Ada clicks "rating=4" in survey-1.
after 1 minute
expect Ada is not in segment unhappy.
expect Ada gets no survey-2.

Story: She says nothing
Ada does "Order Delivered".
after 20 days
expect Ada gets email survey-1.
expect Ada leaves satisfaction-survey.
expect Ada gets nothing else.

Story: She buys half-way, and her answer counts all the same
Ada does "Order Delivered".
after 5 days, Ada orders for 80.
after 1 day, Ada does "Survey Answered" {"rating": 1}.
expect Ada gets email survey-1.
expect Ada gets email survey-2.
expect Ada gets nothing else.

Story: She unsubscribes half-way: the person is told, she gets no mail
Ada does "Order Delivered".
after 5 days, Ada unsubscribes in survey-1.
after 1 hour, Ada does "Survey Answered" {"rating": 1}.
after 1 minute
expect Ada is in segment unhappy.
expect Ada gets email survey-1.
expect Ada gets no survey-2: unsubscribed.
expect Ada gets nothing else.

Story: She was written to a moment ago, and the question is held until the cap is over
Ada does "Order Delivered".
on 2026-06-05 at 08:00, Ada adds "Wool Socks" for 12.50.
expect Ada gets email cart-1 on 2026-06-05 at 09:00.
expect Ada gets email survey-1 on 2026-06-06 at 01:00.

Story: In the night nobody is asked
at 23:00, Ada does "Order Delivered".
expect Ada gets email survey-1 on 2026-06-05 at 10:00.

Story: She comes in twice: two parcels, and one question
Ada does "Order Delivered".
after 10 days, Ada does "Order Delivered".
expect Ada does not enter satisfaction-survey again: already_active.
expect Ada gets email survey-1.
expect Ada gets nothing else.

Story: It comes to a guest, who is known half-way
the visitor does "Order Delivered".
after 1 day, the visitor logs in as Ada.
after 5 days, Ada does "Survey Answered" {"rating": 1}.
expect Ada gets email survey-1.
expect Ada gets email survey-2.
expect Ada gets nothing else.
