-- says
error[M0506]: state: orders.state is in use by process 4711: two runs of one job cannot share their state
