# What the journey after-event does. `cartwake story` plays it; docs/stories.md tells how sentences are written.
# It is a draft: a shop turns it on when it wants it.

Journey after-event is live.
Ada is subscribed to email.
Ada has first_name "Ada".

Story: She takes the quiz
Ada does "Quiz Finished" {"result": "City walker", "url": "https://www.nordlicht.example/quiz/city"}.
expect Ada enters after-event at 10:00.
expect Ada gets email after-event-1 after 15 minutes, subject "Your result: City walker", text "/quiz/city".
expect Ada gets nothing else.

Story: She buys half-way
Ada does "Quiz Finished" {"result": "City walker", "url": "https://www.nordlicht.example/quiz/city"}.
after 10 minutes, Ada orders for 80.
expect Ada leaves after-event: exited (Order Completed).
expect Ada gets nothing.

Story: She unsubscribes half-way
Ada does "Quiz Finished" {"result": "City walker", "url": "https://www.nordlicht.example/quiz/city"}.
after 10 minutes, Ada unsubscribes from email.
expect Ada gets no after-event-1: unsubscribed.
expect Ada gets nothing.

Story: She was written to a moment ago
Eve gives email "eve@example.com".
Eve subscribes to email.
after 10 minutes, Eve does "Quiz Finished" {"result": "City walker", "url": "https://www.nordlicht.example/quiz/city"}.
expect Eve gets email welcome-1.
expect Eve gets no after-event-1: frequency_cap.
expect Eve gets email welcome-2.

Story: In the night a mail goes out all the same
at 03:00, Ada does "Quiz Finished" {"result": "City walker", "url": "https://www.nordlicht.example/quiz/city"}.
expect Ada gets email after-event-1 at 03:15.

Story: She comes in twice
Ada does "Quiz Finished" {"result": "City walker", "url": "https://www.nordlicht.example/quiz/city"}.
after 5 minutes, Ada does "Quiz Finished" {"result": "City walker", "url": "https://www.nordlicht.example/quiz/city"}.
expect Ada does not enter after-event again: already_active.
expect Ada gets email after-event-1 at 10:15.
expect Ada gets nothing else.

Story: A visitor takes it, and logs in half-way
the visitor does "Quiz Finished" {"result": "City walker", "url": "https://www.nordlicht.example/quiz/city"} in the browser.
after 10 minutes, the visitor logs in as Ada.
expect Ada enters after-event at 10:00.
expect Ada gets email after-event-1 at 10:15.
expect Ada gets nothing else.
