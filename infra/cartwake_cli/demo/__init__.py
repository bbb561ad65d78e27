"""The demo: the main job, live on one machine, told by three stories and shown on a local page."""
