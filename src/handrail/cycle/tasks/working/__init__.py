"""What people do around an answer: drafts before it, another answer after it, comments beside it."""
