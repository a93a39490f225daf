;;; agent.el --- What stands for the coding agent  -*- lexical-binding: t; -*-

;;; Commentary:

;; emacs -Q --batch -l agent.el COUNTERSIGN HOME FOLDER PARENT
;; A process that is not the editor, because Countersign refuses a server that
;; descends from whoever calls the hook.  For each file NUMBER.call in FOLDER it
;; runs the hook with that input, and writes how the hook ended to
;; NUMBER.outcome.  It ends with PARENT.

;;; Code:

(defun agent-run (countersign home input outcome folder)
  "Run the hook of COUNTERSIGN over HOME with the file INPUT in FOLDER.
How it ended goes to the file OUTCOME."
  (let* ((complaints (generate-new-buffer " *complaints*"))
         (process
          (make-process
           :name "hook"
           :buffer (generate-new-buffer " *answer*")
           :stderr complaints
           :connection-type 'pipe
           :coding 'utf-8
           :command (list countersign "hook" "claude-code"
                          "--event" "PreToolUse" "--timeout" "60"
                          "--home" home)
           :sentinel
           (lambda (process _change)
             (unless (process-live-p process)
               (let ((errors (get-buffer-process complaints)))
                 (while (and errors (accept-process-output errors 1)))
                 (while (accept-process-output process 0.01))
                 (agent-write
                  outcome
                  (list :code (process-exit-status process)
                        :status (symbol-name (process-status process))
                        :stdout (agent-text (process-buffer process))
                        :stderr (agent-text complaints)))))))))
    (ignore folder)
    ;; The sentinel writes to the buffers; nothing is to be added by Emacs.
    (set-process-sentinel (get-buffer-process complaints) #'ignore)
    (process-send-string process (with-temp-buffer
                                   (insert-file-contents input)
                                   (buffer-string)))
    (process-send-eof process)))

(defun agent-text (buffer)
  "The text of BUFFER."
  (with-current-buffer buffer (buffer-string)))

(defun agent-write (file value)
  "Write VALUE to FILE, which appears when it is whole."
  (let ((new (concat file ".new")))
    (write-region (json-serialize value) nil new nil 'silent)
    (rename-file new file)))

(pcase-let ((`(,countersign ,home ,folder ,parent) command-line-args-left)
            (begun nil))
  (setq command-line-args-left nil)
  (while (process-attributes (string-to-number parent))
    (dolist (input (directory-files folder t "\\.call\\'"))
      (unless (member input begun)
        (push input begun)
        (agent-run countersign home input
                   (concat (file-name-sans-extension input) ".outcome")
                   folder)))
    (accept-process-output nil 0.02)))

;;; agent.el ends here
