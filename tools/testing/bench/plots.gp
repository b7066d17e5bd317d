# SPDX-License-Identifier: GPL-2.0
# gnuplot -e "format='svg'" plots.gp, in the folder that report.py filled: how many times
# better than its peer each is, and how many it is to be.
if (format eq 'svg') set terminal svg size 1000, 900 background 'white'; else set terminal pngcairo size 1000, 900
set output 'ratios.'.format
set title 'xen-duct beside its peers: times better'
set label system('head -n 1 table.txt') at screen 0.01, 0.985 left
set tmargin 4
set logscale x
set grid x
set key below
set xtics (0.0625, 0.125, 0.25, 0.5, 1, 2, 3, 4, 8, 16, 32, 64, 128)
set lmargin 42
set offsets 0, 0, 0.7, 0.7
set arrow from 1, graph 0 to 1, graph 1 nohead dt 2
plot 'ratios.dat' using 3:1:ytic(2) with points pt 7 ps 1.2 title 'measured', \
     '' using 4:1 with points pt 1 ps 1.5 title 'to reach'
