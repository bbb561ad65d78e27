"""The only place that knows PynamoDB: one module per table, its row, and the functions that read and write it."""
