! ps -ef | grep '[s]leep 86413'
