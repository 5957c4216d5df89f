# made by hand
Creator "a toolset"
graph [
  directed 0
  label "Two cities"
  node [ id 0 label "Dallas" Country "United States" Longitude -96.80667 Internal 1 Latitude 32.78306 ]
  node [ id 1 label "Houston" Longitude -95.36327 Latitude 29.76328 graphics [ x 1.0 y 2.0 ] ]
  edge [ source 0 target 1 LinkSpeedRaw 10000000000.0 ]
]
