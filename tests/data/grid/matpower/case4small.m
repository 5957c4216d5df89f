function mpc = case4small
%CASE4SMALL  Four buses with what case files hold: it isn't a real network.
mpc.version = '2';
mpc.baseMVA = 100;	% system base

%	bus_i	type	Pd	Qd	Gs	Bs	area	Vm	Va	baseKV	zone	Vmax	Vmin
mpc.bus = [
	10	3	0	0	0	0	1	1	0	230	1	1.1	0.9;
	20	1	90	30	2	0	1	1	0	230	1	1.1	0.9;
	30	1	100, 35, 0, 0, 1, 1, 0, 115, 2, 1.1, 0.9
	40	4	50	35	0	0	1	1	0	230	1	1.1	0.9;
];
mpc.gen = [ % bus Pg Qg Qmax Qmin Vg mBase status Pmax Pmin
	10	150	0	Inf	-Inf	1	100	1	250	10;
	30	42	0	300	-300	1	100	1	...
		270	0;	% a row over two lines
	30	0	0	300	-300	1	100	0	270	10;
];
mpc.branch = [
	10	20	0.017	0.092	0.158	250	250	250	0	0	1	-360	360;
	10	20	0.017	0.092	0.158	0	250	250	0	0	1	-360	360;
	20	30	0.0	0.05	0.0	150	150	150	0.98	-2	1	-360	360;
	10	30	0.032	0.161	0.306	200	250	250	0	0	1	-360	360;
	10	40	0.01	0.085	0.176	250	250	250	0	0	1	-360	360;
	20	30	0.01	0.085	0.176	250	250	250	0	0	0	-360	360;
];
mpc.gencost = [
	2	1500	0	3	0.11	5	150;
	1	0	0	3	0	0	100	1200	270	4600;
	2	3000	0	2	1	335	0;
];
mpc.dcline = [
	30	10	1	25	24	0	0	1	1	5	40	0	0	0	0	1	0.01;
	30	40	1	10	10	0	0	1	1	0	10	0	0	0	0	0	0;
];
mpc.genfuel = {
	'coal'; 'NG';	% texts with a ';' in between
	'wind';
};
mpc.bus_name = {
	'ten % "north"'; 'it''s twenty'; 'thirty }'; 'forty';
};
