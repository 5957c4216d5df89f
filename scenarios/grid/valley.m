function mpc = valley
% The valley of sitepick.yaml as a MATPOWER case, written by hand. Fictional.
% Buses: 1 Plant, 2 West, 3 Hub, 4 North, 5 South, 6 East. Zone 1 is the valley, zone 2 the east.
mpc.version = '2';
mpc.baseMVA = 100;
% bus_i type Pd Qd Gs Bs area Vm Va baseKV zone Vmax Vmin
mpc.bus = [
  1 3 200 0 0 0 1 1 0 138 1 1.1 0.9;
  2 2   0 0 0 0 1 1 0 138 1 1.1 0.9;
  3 2   0 0 0 0 1 1 0 138 1 1.1 0.9;
  4 1   0 0 0 0 1 1 0 138 1 1.1 0.9;
  5 1   0 0 0 0 1 1 0 138 1 1.1 0.9;
  6 2  30 0 0 0 1 1 0 138 2 1.1 0.9;
];
% bus Pg Qg Qmax Qmin Vg mBase status Pmax Pmin
mpc.gen = [
  1 210 0 0 0 1 100 1 700 0;
  2   0 0 0 0 1 100 1 200 0;
  3  20 0 0 0 1 100 1  20 0;
  6   0 0 0 0 1 100 1  60 0;
];
mpc.genfuel = {'gas'; 'wind'; 'coal'; 'gas'};
% model startup shutdown n c1 c0
mpc.gencost = [
  2 0 0 2 40 0;
  2 0 0 2  0 0;
  2 0 0 2 30 0;
  2 0 0 2 70 0;
];
% fbus tbus r x b rateA rateB rateC ratio angle status
mpc.branch = [
  1 3 0 0.10 0 240 0 0 0 0 1;
  1 2 0 0.10 0 240 0 0 0 0 1;
  2 3 0 0.10 0  80 0 0 0 0 1;
  3 4 0 0.05 0  80 0 0 0 0 1;
  3 4 0 0.05 0  80 0 0 0 0 1;
  3 5 0 0.05 0  80 0 0 0 0 1;
  3 5 0 0.05 0  80 0 0 0 0 1;
  1 6 0 0.10 0 120 0 0 0 0 1;
  1 6 0 0.10 0 120 0 0 0 0 1;
];
