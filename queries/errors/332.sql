-- says
error[M0332]: windows over processing time are not supported yet
