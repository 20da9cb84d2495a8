/* the large ones
SELECT id FROM orders;
-- says:
-- error[M0002]: a comment is not closed
--  --> unclosed_comment.sql:1:1
--   |
-- 1 | /* the large ones
--   | ^^^^^^^^^^^^^^^^^ it starts here
--   |
--   = help: close it with `*/`
