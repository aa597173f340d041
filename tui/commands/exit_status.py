"""The exit statuses of the command that are no answer."""

BAD_INPUT = 2
INTERNAL_ERROR = 70  # EX_SOFTWARE: a mistake of ours, which must not read as "they differ"
INTERRUPTED = 130  # 128 + SIGINT, as shells report it
OUTPUT_CLOSED = 141  # 128 + SIGPIPE
