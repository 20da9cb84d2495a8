-- says
error[M0503]: table `orders`: /data/out/.staged/orders-0.json: No space left on device (os error 28)
