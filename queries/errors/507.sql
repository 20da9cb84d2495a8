-- says
error[M0507]: epoch 4711 was not committed: topic `revenue` at localhost:9092: the transaction timed out
