"""Reports: `report.html` for a run and for a sweep, one file that needs nothing else.

reading       the files of a run or a sweep, read and checked
prediction    what theory says of a chain of dense layers
drawing       how charts look; the one module that imports matplotlib, an extra
charts        a run's charts; svg: a figure as an element of a page
page          HTML, style and script (page.css, page.js)
run_page      the report of a run; sweep_page: that of a sweep; writing: of either
"""
