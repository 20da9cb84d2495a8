-- says
error[M0304]: `id` could be one of several columns
 --> job.sql:2:8
  |
2 | SELECT id FROM a, b;
  |        ^^
  |
  = help: write the relation before it: `relation.id`
