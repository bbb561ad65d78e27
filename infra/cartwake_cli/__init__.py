"""The command line of Cartwake, and the tools that run it on one machine."""
