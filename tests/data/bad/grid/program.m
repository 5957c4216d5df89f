function mpc = program
mpc.version = "2";
for k = 1:3
  mpc.bus(k, 3) = 10;
end
