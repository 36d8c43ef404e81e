;;; startup.el --- Emacs's dap-mode debugs a startup  -*- lexical-binding: t -*-

;; emacs --batch -l startup.el CONFIGURATION FILE LINE
;;
;; Does what a user does: visits FILE, sets a breakpoint in LINE, starts the debug
;; configuration, which is JSON as in launch.json, with "dap-server-path" for the
;; adapter's command; steps once when Envoy stops there, and disconnects. Prints where
;; point is at each stop, as "stopped at FILE:LINE in FUNCTION".
;; Whoever starts it bounds its time.

;;; Code:

(package-initialize)
(require 'dap-mode)
(require 'dap-ui)

;; All that dap-mode needs to know of envoydbg: the configuration has the rest.
(dap-register-debug-provider "envoy" #'identity)

(defvar startup-stops 0 "How often Envoy has stopped.")
(defvar startup-ended nil "Non-nil when the session has ended.")

(defun startup-shown (session)
  "Tell where SESSION stands, and go on as the user."
  (when-let ((frame (dap--debug-session-active-frame session)))
    (setq startup-stops (1+ startup-stops))
    (princ (format "stopped at %s:%d in %s\n" buffer-file-name (line-number-at-pos) (gethash "name" frame)))
    (if (= startup-stops 1)
        (dap-next session)
      (dap-disconnect session))))

(add-hook 'dap-stack-frame-changed-hook #'startup-shown)
(add-hook 'dap-terminated-hook (lambda (_session) (setq startup-ended t)))

(pcase-let ((`(,configuration ,file ,line) command-line-args-left))
  (setq command-line-args-left nil)
  (find-file file)
  (forward-line (1- (string-to-number line)))
  (dap-breakpoint-add)
  (let* ((parsed (json-parse-string configuration :object-type 'plist :false-object :json-false))
         (command (append (plist-get parsed :dap-server-path) nil)))
    (dap-debug (plist-put parsed :dap-server-path command))))

(while (not startup-ended)
  (accept-process-output nil 1))

;;; startup.el ends here
