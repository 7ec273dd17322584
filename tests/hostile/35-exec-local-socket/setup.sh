python3 -c 'import os, socket; socket.socket(socket.AF_UNIX).bind(os.environ["OUTSIDE"] + "/docker.sock")' 
