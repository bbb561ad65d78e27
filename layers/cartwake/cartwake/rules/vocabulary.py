"""The vocabulary: names of events and traits that editors offer, and words of other systems for what is said here."""

from typing import Final

CONDITIONS: Final = (
    "did", "did_not", "first", "last", "total_of", "average_of", "largest_of", "distinct_of", "trait", "age_of",
    "anniversary_of", "profile", "consent", "reachable_by", "tag", "score", "share", "cart", "lifecycle", "engagement",
    "predicted", "in_segment", "all", "any", "none",
)  # fmt: skip
"""The words with which conditions begin."""

EVENTS: Final = (
    "Page Viewed", "Product Viewed", "Product List Viewed", "Product List Filtered", "Products Searched",
    "Product Clicked", "Product Added", "Product Removed", "Product Added to Wishlist", "Product Removed from Wishlist",
    "Product Shared", "Product Reviewed", "Cart Viewed", "Cart Shared", "Checkout Started", "Checkout Step Viewed",
    "Checkout Step Completed", "Payment Info Entered", "Order Completed", "Order Updated", "Order Refunded",
    "Order Cancelled", "Order Shipped", "Order Delivered", "Coupon Entered", "Coupon Applied", "Coupon Denied",
    "Coupon Removed", "Promotion Viewed", "Promotion Clicked", "Signed Up", "Signed In", "Signed Out",
    "Form Submitted", "Survey Answered", "Service Booked", "Identified", "Screen Viewed", "Subscription Requested",
    "Subscribed", "Unsubscribed", "Preferences Changed",
    "Email Sent", "Email Delivered", "Email Opened", "Email Link Clicked", "Email Bounced", "Email Marked as Spam",
    "SMS Sent", "SMS Received", "Push Notification Tapped", "Push Notification Bounced",
    "Application Installed", "Application Opened", "Application Uninstalled",
    "Tag Added", "Tag Removed", "Traits Set", "Points Given", "Coupon Given", "Coupon Redeemed",
    "Export Ready", "Journey Enrolled", "Price Dropped", "Back In Stock", "Stock Low",
)  # fmt: skip
"""Events that editors offer; any other name is as good."""

TRAITS: Final = (
    "email", "phone", "first_name", "last_name", "name", "birthday", "gender", "language", "locale", "timezone",
    "country", "city", "postal_code", "address", "company", "title", "plan", "website", "avatar", "username", "age",
    "description", "created_at", "firstName", "lastName", "createdAt", "id",
)  # fmt: skip
"""Traits that editors offer; any other name is as good."""

MEANT: Final = {
    "event": "did", "performed": "did", "has_done": "did", "count_of": "did", "not_did": "did_not", "never": "did_not",
    "did_nothing": "did_not", "sum_of": "total_of", "sum": "total_of", "total": "total_of", "avg_of": "average_of",
    "mean_of": "average_of", "max_of": "largest_of", "unique": "distinct_of", "different": "distinct_of",
    "count_distinct": "distinct_of", "property": "trait", "attribute": "trait", "user": "trait", "age": "age_of",
    "birthday": "anniversary_of", "segment": "in_segment", "member_of": "in_segment", "list": "in_segment",
    "and": "all", "or": "any", "not": "none", "rfm": "lifecycle", "reachable": "reachable_by", "random": "share",
    "percent": "share", "sample": "share", "prediction": "predicted", "churn_risk": "predicted", "basket": "cart",
    "points": "score", "tags": "tag", "subscribed": "consent", "visit": "profile", "delay": "wait",
    "wait_till": "wait_until", "until": "wait_until", "wait_until_event": "wait_for", "mail": "email", "send": "email",
    "text": "sms", "add_tag": "tag", "add_to": "tag", "add_to_list": "tag", "remove_tag": "untag",
    "remove_from_list": "untag", "set_trait": "set", "update": "set", "test": "split", "ab_test": "split",
    "variants": "split", "exit": "end", "stop": "end",
}  # fmt: skip
"""Words with which conditions begin elsewhere, and how they begin here."""

SAME: Final = {
    "within": "in_last", "last": "in_last", "in_the_last": "in_last", "during": "in_last", "since_days": "in_last",
    "newer_than": "in_last", "older_than": "before", "until": "before", "from": "after", "range": "between",
    "in_the_next": "in_next", "times": "exactly", "count": "exactly", "equals": "is", "equal": "is", "eq": "is",
    "value_is": "is", "in": "is", "one_of": "is", "not": "is_not", "ne": "is_not", "not_equals": "is_not",
    "not_in": "is_not", "includes": "contains", "has": "contains", "like": "matches", "glob": "matches",
    "regex": "matches", "starts_with": "matches", "pattern": "matches", "gt": "more_than", "greater_than": "more_than",
    "above": "more_than", "over": "more_than", "gte": "at_least", "min": "at_least", "minimum": "at_least",
    "lt": "less_than", "below": "less_than", "under": "less_than", "lte": "at_most", "max": "at_most",
    "maximum": "at_most", "exist": "exists", "is_set": "exists", "filter": "where", "properties": "where",
    "event": "on", "item": "any_item", "delay": "wait", "condition": "where", "title": "name",
    "id": "product_id", "qty": "quantity", "image": "image_url",
    "link": "url",
}  # fmt: skip
"""Keys of other systems, and what they are called here."""

VALUES: Final[dict[str, tuple[str, ...]]] = {
    "active": ("live", "subscribed"), "activate": ("live",), "activated": ("live",), "enable": ("live",),
    "enabled": ("live",), "running": ("live",), "publish": ("live",), "published": ("live",), "started": ("live",),
    "on": ("live", "always"), "inactive": ("paused",), "deactivated": ("paused",), "disable": ("paused",),
    "disabled": ("paused",), "stopped": ("paused",), "suspended": ("paused",), "onhold": ("paused",),
    "off": ("paused", "never"), "stop": ("paused", "end"), "unpublished": ("draft",), "wip": ("draft",),
    "promotional": ("marketing",), "promotion": ("marketing",), "promo": ("marketing",), "newsletter": ("marketing",),
    "advertising": ("marketing",), "commercial": ("marketing",), "campaign": ("marketing",), "bulk": ("marketing",),
    "broadcast": ("marketing",), "doubleoptin": ("confirmation", "pending"), "optedin": ("subscribed", "consented"),
    "optin": ("subscribed", "consented"), "yes": ("subscribed",), "confirmed": ("subscribed",),
    "granted": ("subscribed",), "given": ("subscribed",), "agreed": ("subscribed",), "accepted": ("subscribed",),
    "allowed": ("subscribed",), "optedout": ("unsubscribed",), "optout": ("unsubscribed",),
    "no": ("unsubscribed", "never"), "revoked": ("unsubscribed",), "withdrawn": ("unsubscribed",),
    "denied": ("unsubscribed",), "refused": ("unsubscribed",), "declined": ("unsubscribed",),
    "notsubscribed": ("unsubscribed",), "unconfirmed": ("pending",), "requested": ("pending",),
    "unknown": ("never_asked",), "notasked": ("never_asked",), "none": ("never_asked", "never"), "all": ("always",),
    "opens": ("opened",), "clicks": ("clicked",), "bought": ("ordered",), "purchased": ("ordered",),
    "joined": ("entered",), "exited": ("left",), "leaves": ("left",), "leave": ("left",), "exit": ("left", "end"),
    "continue": ("go_on",), "local": ("recipient",), "customer": ("recipient", "shopper"),
    "user": ("recipient", "shopper"), "full": ("open",), "filled": ("open",), "engaged": ("active",),
    "unengaged": ("inactive",), "dormant": ("inactive", "lost"), "churned": ("lost",), "text": ("sms",),
}  # fmt: skip
"""Values of other systems, in small letters alone, and what they are called here: in each place the first there is."""
