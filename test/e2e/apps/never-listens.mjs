// A worker somebody took for a server: it lives, but there is nobody to answer a request.
setInterval(() => {}, 1000);
