console.log('build: to be written');
