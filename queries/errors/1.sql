-- says
error[M0001]: the SQL text has 1048590 bytes, more than 1048576
