-- says
error[M0504]: epoch 4711 was committed, but its snapshot is not in the state directory
  = help: restore the state directory, or its copy; or begin anew with --fresh
