-- says
error[M0508]: operator `revenue.window` failed unexpectedly: a watermark went back
