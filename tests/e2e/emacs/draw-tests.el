;;; draw-tests.el --- The messages of the protocol, drawn  -*- lexical-binding: t; -*-

;;; Commentary:

;; The golden files that every client is tested with.

;;; Code:

(require 'countersign)
(require 'support)

(defun draw-tests--golden (message)
  "The golden parameters of MESSAGE, read as a connection reads them."
  (mapcar (lambda (file)
            (with-temp-buffer
              (insert-file-contents file)
              (json-parse-buffer :object-type 'plist :null-object nil
                                 :false-object :json-false)))
          (directory-files
           (expand-file-name (concat "tests/protocol/from-server/" message)
                             support-root)
           t "\\`params.*\\.json\\'")))

(ert-deftest draw-shows-every-golden-approval-whole ()
  (let ((golden (draw-tests--golden "countersign-approvalRequested")))
    (should (> (length golden) 1))
    (dolist (data golden)
      (with-temp-buffer
        (countersign-draw (countersign-ask-make :kind 'approval :data data))
        (let ((text (buffer-string)))
          (dolist (line (split-string (plist-get data :text) "\n"))
            (should (string-search (concat "\n| " line "\n") text)))
          (dolist (field '(:agent :tool :cwd :mode :why :detail))
            (should (string-search (plist-get data field) text)))
          (dolist (list '(:effects :suggestions))
            (seq-do (lambda (one) (should (string-search one text)))
                    (plist-get data list)))
          (should (string-search "RET  or d: deny" text))
          (should (eq (and (string-search "and remember rules" text) t)
                      (not (seq-empty-p (plist-get data :suggestions)))))
          (should-not (string-search (plist-get data :nonce) text)))))))

(ert-deftest draw-marks-what-the-question-is-about ()
  (with-temp-buffer
    (countersign-draw--call "🙂 ls && git push"
                            [(:start 3 :end 5 :asks :json-false)
                             (:start 9 :end 17 :effect 0 :asks t)])
    (goto-char (point-min))
    (search-forward "git push")
    (should (eq (get-text-property (match-beginning 0) 'face) 'countersign-asks))
    (should (eq (get-text-property (1- (match-end 0)) 'face) 'countersign-asks))
    (search-backward "ls")
    (should (eq (get-text-property (point) 'face) 'countersign-call))))

(ert-deftest draw-says-every-golden-status ()
  (let ((golden (draw-tests--golden "countersign-status")))
    (should golden)
    (dolist (status golden)
      (let ((connection (make-instance 'countersign-connection
                                       :name "golden" :root "/work"
                                       :process (lambda ()
                                                  (make-pipe-process
                                                   :name "golden" :noquery t)))))
        (unwind-protect
            (progn
              (setf (countersign-client-status connection) status)
              (should (string-prefix-p " CS:"
                                       (countersign--lighter connection)))
              (let ((text (string-join (countersign--sentences connection) "\n")))
                (should (string-search (plist-get status :health) text))
                (seq-do (lambda (session)
                          (should (string-search (plist-get session :session)
                                                 text)))
                        (plist-get status :sessions))))
          (delete-process (jsonrpc--process connection)))))))

;;; draw-tests.el ends here
