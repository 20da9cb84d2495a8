-- says
error[M0509]: table `orders`: topic `orders` at localhost:9092: not authorised to access the topic
