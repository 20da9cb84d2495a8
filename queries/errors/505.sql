-- says
error[M0505]: state: orders.state/checkpoints/4711/MANIFEST is damaged: its checksum does not fit
